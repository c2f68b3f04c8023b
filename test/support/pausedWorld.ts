import assert from "node:assert/strict";
import { Refused, runBeats, type Step, type StepContext } from "../../components/steps/runStep";
import { pause } from "../../components/steps/scripts/pause";
import { podsPath, until } from "../../components/steps/world";
import { OWNER, ownedRelease, RELEASE } from "./ownedRelease";
import { RAFT_VALUES, StepWorld } from "./stepContext";

export const CRON_JOB = "/apis/batch/v1/namespaces/openbao/cronjobs/vault-backup";
export const SCALE = "/apis/apps/v1/namespaces/openbao/statefulsets/openbao/scale";
/** Seconds. More than a test takes, and less than lies between two looks: what ends sooner was ended by the watch. */
export const LONG = 4;

export async function pausedWorld(): Promise<StepWorld> {
  const world = new StepWorld("pause");
  Object.assign(world.context.input, { podTimeoutSeconds: LONG });
  world.kube.put(RELEASE, ownedRelease({ values: RAFT_VALUES }));
  world.kube.put(OWNER, { metadata: { name: "apps" }, spec: {} });
  world.kube.put(CRON_JOB, { metadata: { name: "vault-backup" }, spec: {} });
  await runBeats(pause, world.context);
  world.kube.writes.length = 0;
  return world.statefulSet(0).noPod();
}

export const resumeAs = (world: StepWorld, path: string) =>
  world.kube.mergePatch(path, { spec: { suspend: false } }, { fieldManager: "kubectl-patch" });

/** A step whose act, or whose verify, runs `work`. */
export function stepOf(beat: "act" | "verify", work: (ctx: StepContext) => Promise<unknown>): Step {
  const nothing = () => Promise.resolve();
  return {
    id: "some",
    needsPause: true,
    observe: () => Promise.resolve({ state: "todo", observed: {} }),
    act: beat === "act" ? async (ctx) => void (await work(ctx)) : nothing,
    verify: beat === "verify" ? async (ctx) => ({ was: await work(ctx) }) : () => Promise.resolve({}),
  };
}

export async function held(work: Promise<unknown>, words: RegExp): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.equal(error instanceof Refused && error.hazard, "F53", String(error));
    assert.match((error as Error).message, words);
    return true;
  });
}

export const forPod = (ctx: StepContext) =>
  ctx.kube.waitFor(podsPath("openbao"), "openbao-0", (pod) => pod !== undefined, {
    what: "a pod",
    timeoutSeconds: LONG,
  });
export const forAnswer = () => until("an answer", LONG, () => Promise.resolve({ seen: "none" }));
