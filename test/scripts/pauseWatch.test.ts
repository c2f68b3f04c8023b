import assert from "node:assert/strict";
import { readJournal } from "../../components/cluster/journal";
import { whilePaused } from "../../components/steps/pauseWatch";
import { applyRelease } from "../../components/steps/applyRelease";
import { Refused, runBeats, type Step, type StepContext } from "../../components/steps/runStep";
import { pause } from "../../components/steps/scripts/pause";
import { stop } from "../../components/steps/scripts/stop";
import { APPLYING_ANNOTATION, podsPath, until } from "../../components/steps/world";
import { OWNER, ownedRelease, RELEASE } from "../support/ownedRelease";
import { RAFT_VALUES, StepWorld } from "../support/stepContext";

const CRON_JOB = "/apis/batch/v1/namespaces/openbao/cronjobs/vault-backup";
const SCALE = "/apis/apps/v1/namespaces/openbao/statefulsets/openbao/scale";
/** Far more than a test may take: a wait that ends by it has not been ended by the watch. */
const LONG = 50;

async function pausedWorld(): Promise<StepWorld> {
  const world = new StepWorld("pause");
  Object.assign(world.context.input, { podTimeoutSeconds: LONG });
  world.kube.put(RELEASE, ownedRelease({ values: RAFT_VALUES }));
  world.kube.put(OWNER, { metadata: { name: "apps" }, spec: {} });
  world.kube.put(CRON_JOB, { metadata: { name: "vault-backup" }, spec: {} });
  await runBeats(pause, world.context);
  world.kube.writes.length = 0;
  return world.statefulSet(0).noPod();
}

const resumeAs = (world: StepWorld, path: string) =>
  world.kube.mergePatch(path, { spec: { suspend: false } }, { fieldManager: "kubectl-patch" });

/** A step whose act, or whose verify, runs `work`. */
function stepOf(beat: "act" | "verify", work: (ctx: StepContext) => Promise<unknown>): Step {
  const nothing = () => Promise.resolve();
  return {
    id: "some",
    needsPause: true,
    observe: () => Promise.resolve({ state: "todo", observed: {} }),
    act: beat === "act" ? async (ctx) => void (await work(ctx)) : nothing,
    verify: beat === "verify" ? async (ctx) => ({ was: await work(ctx) }) : () => Promise.resolve({}),
  };
}

async function held(work: Promise<unknown>, words: RegExp): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.equal(error instanceof Refused && error.hazard, "F53", String(error));
    assert.match((error as Error).message, words);
    return true;
  });
}

const forPod = (ctx: StepContext) =>
  ctx.kube.waitFor(podsPath("openbao"), "openbao-0", (pod) => pod !== undefined, {
    what: "a pod",
    timeoutSeconds: LONG,
  });
const forAnswer = () => until("an answer", LONG, () => Promise.resolve({ seen: "none" }));

describe("somebody ends the pause while a step is at work (hazard F53)", () => {
  for (const [name, path] of [
    ["the HelmRelease", RELEASE],
    ["the Kustomization", OWNER],
  ] as const) {
    for (const beat of ["act", "verify"] as const) {
      for (const [what, wait] of [
        ["for an object", forPod],
        ["for an answer of a server", forAnswer],
      ] as const) {
        it(`ends the wait ${what} in ${beat} at once: ${name} is resumed`, async () => {
          const world = await pausedWorld();
          const step = stepOf(beat, async (ctx) => {
            setImmediate(() => void resumeAs(world, path));
            await wait(ctx);
          });
          await held(
            runBeats(step, world.context),
            new RegExp(`resumed ${path.split("/").slice(-2).join("/")}`),
          );
          const beats = (await readJournal(world.kube, "openbao")).map(
            (entry) => `${entry.step} ${entry.beat}`,
          );
          assert.equal(beats.includes("pause done") && !beats.includes("some done"), true, beats.join());
          assert.equal(world.kube.peek<{ spec: { suspend: boolean } }>(path)!.spec.suspend, false);
        });
      }
    }
  }

  it("holds before the next act that cannot be taken back, with no watch and no time between", async () => {
    const world = await pausedWorld();
    const step = stepOf("act", async (ctx) => {
      await resumeAs(world, CRON_JOB);
      await ctx.fence.assertHeld();
      await ctx.kube.mergePatch(SCALE, { spec: { replicas: 3 } });
    });
    await held(runBeats(step, world.context), /resumed cronjobs\/vault-backup/);
    assert.equal(
      world.kube.writes.some(({ path }) => path === SCALE),
      false,
    );
  });

  it("is seen by a look where nothing is watched: a CronJob in the middle of a wait", async () => {
    const world = await pausedWorld();
    const work = whilePaused(
      world.context,
      async (ctx) => {
        await resumeAs(world, CRON_JOB);
        await forPod(ctx);
      },
      20,
    );
    await held(work, /resumed cronjobs\/vault-backup/);
  });

  it("is seen when the HelmRelease is deleted", async () => {
    const world = await pausedWorld();
    const step = stepOf("act", async (ctx) => {
      setImmediate(() => world.kube.drop(RELEASE));
      await forPod(ctx);
    });
    await held(runBeats(step, world.context), /helmreleases\/openbao.*it was deleted in the middle/);
  });

  it("stops step stop before it scales: Flux would start the server again", async () => {
    const world = (await pausedWorld()).statefulSet(1).pod0("rev-1");
    world.kube.put(RELEASE, { ...world.kube.peek<Record<string, unknown>>(RELEASE)! });
    await world.kube.mergePatch(RELEASE, { spec: { values: { server: { ha: null } } } });
    for (const step of ["file-copy", "inventory-cutover"]) await world.done(step);
    await world.provenKey();
    await resumeAs(world, OWNER);
    await held(
      runBeats(stop, { ...world.context, input: { ...world.context.input, step: "stop" } }),
      /kustomizations\/apps/,
    );
    assert.equal(
      world.kube.writes.some(({ path }) => path === SCALE),
      false,
    );
  });

  it("leaves a paused world alone: the work goes on, and nothing is left that waits", async () => {
    const world = await pausedWorld();
    const step = stepOf("act", async (ctx) => {
      setImmediate(() => void world.pod0("rev-1"));
      await forPod(ctx);
      await world.kube.mergePatch(RELEASE, { metadata: { annotations: { mine: "kept" } } });
    });
    assert.equal((await runBeats(step, world.context)).result, "done");
  });
});

describe("somebody ends the pause while Flux is let to apply the values once (hazard F53)", () => {
  const opened = (world: StepWorld, act: () => unknown) => {
    world.kube.onWrite(({ path, body }) => {
      if (path === RELEASE && JSON.stringify(body).includes('"suspend":false'))
        setImmediate(() => void act());
    });
    const step = stepOf("act", (ctx) => applyRelease(ctx, () => Promise.resolve("not yet")));
    return runBeats(step, world.context);
  };
  const release = (world: StepWorld) =>
    world.kube.peek<{ metadata: { annotations: Record<string, string> }; spec: { suspend: boolean } }>(
      RELEASE,
    )!;

  it("closes what this program opened, and nothing else", async () => {
    const world = await pausedWorld();
    await held(
      opened(world, () => world.kube.put(OWNER, { metadata: { name: "apps" }, spec: { suspend: false } })),
      /resumed kustomizations\/apps/,
    );
    assert.equal(release(world).spec.suspend, true);
    assert.equal(release(world).metadata.annotations[APPLYING_ANNOTATION], undefined);
    assert.equal(world.kube.peek<{ spec: { suspend: boolean } }>(OWNER)!.spec.suspend, false);
  });

  it("never suspends a HelmRelease again that somebody has taken over: our mark is gone", async () => {
    const world = await pausedWorld();
    await held(
      opened(world, () =>
        world.kube.mergePatch(RELEASE, { metadata: { annotations: { [APPLYING_ANNOTATION]: null } } }),
      ),
      /resumed helmreleases\/openbao/,
    );
    assert.equal(release(world).spec.suspend, false);
  });
});
