import type { V1Pod } from "@kubernetes/client-node";
import { readClaim, type InitClaim } from "../cluster/initClaim";
import { InitHeld } from "../cluster/initOnce";
import { ClaimLost } from "../cluster/initClaim";
import type { KubeObject } from "../cluster/kubeClient";
import { sealStatusIfUp, type SealStatus } from "../cluster/openBaoStatus";
import { refuseOnCode } from "./jobResult";
import { runJob } from "./nodeJob";
import { Refused, type Observation, type StepContext } from "./runStep";
import { observeWorld, podsPath, scale, until, waitForPod } from "./world";

/** What the one server and the claim say together, before a step that initialises acts. */
export interface EmptyStore {
  readonly status: SealStatus;
  readonly claim: InitClaim | undefined;
}

/**
 * Looks at openbao-0 for a step that needs an empty Raft store, or one that an earlier run of it has begun.
 * @returns the refusal, or what was seen
 */
export async function observeEmptyStore(ctx: StepContext): Promise<Observation | EmptyStore> {
  const pod = `${ctx.input.release}-0`;
  const { status0, statefulSet } = await observeWorld(ctx);
  const replicas = statefulSet.spec?.replicas ?? 0;
  if (replicas > 1) {
    return refuse("F51", `the StatefulSet has ${replicas} replicas, expected 1: an init could meet another`);
  }
  if ((await ctx.journal.done("set-aside")) === undefined)
    return refuse("F19", "the journal does not say that the old store was set aside");
  const status = status0 ?? (await sealStatusIfUp(ctx.bao(pod)));
  if (status === undefined) return refuse("I3", `${pod} gives no answer`);
  if (status.storageType !== "raft") return refuse("I4", `${pod} runs on storage "${status.storageType}"`);
  const claim = await readClaim(ctx.kube, ctx.input.namespace);
  if (status.initialized && claim === undefined) {
    return refuse(
      "F57",
      `${pod} is initialised, and not by this program: a Job such as vault-config has done it. Look at what it holds. When nothing in it is wanted: suspend that Job, ${byHand(ctx)}, then run again`,
    );
  }
  return { status, claim };
}

export function isRefusal(seen: Observation | EmptyStore): seen is Observation {
  return "state" in seen;
}

/**
 * For a Job that marks the volume, or acts on such a mark: the id of this migration, which is its journal's. A mark that
 * outlived its migration says nothing of what lies there now (hazard F68).
 */
export async function migrationEnv(ctx: StepContext): Promise<{ readonly MIGRATION: string }> {
  const id = (await ctx.journal.run())?.id ?? "";
  if (id === "")
    throw new Refused("the journal has no id, so nothing on the volume can be told apart [F68]", "F68");
  return { MIGRATION: id };
}

/** What is said of a mark on the volume of openbao-0 that is not of this migration. */
export function strangeMark(id: string): string {
  return `the volume's mark .openbao-raft-migration/fresh is not of this migration (${id}), and nothing was moved or removed. If an earlier migration left it and you went back: finish that by docs/carry.md, "Going back", which removes it. If only the journal was lost and the old store lies in old-raft: put this id in place of the first word of that file`;
}

/** How an empty store whose keys are lost is emptied by hand. */
export function byHand(ctx: StepContext): string {
  const { namespace, release } = ctx.input;
  return `remove its store by name with kubectl -n ${namespace} exec ${release}-0 -- rm -rf /openbao/data/vault.db /openbao/data/raft /openbao/data/node-id, and delete the pod`;
}

/**
 * Takes away the empty store that a lost init has left, and starts the server again. Only parts with the names of a
 * Raft store at the volume's root go; what was set aside does not lie there, which the Job asks first.
 * @throws Refused for a store whose claim says "kept": clients have written to it since.
 */
export async function emptyAgain(ctx: StepContext): Promise<void> {
  const { namespace, release } = ctx.input;
  const pod = `${release}-0`;
  if ((await readClaim(ctx.kube, namespace))?.state === "kept") {
    throw new Refused(
      `the key Secret does not open ${pod}, whose store this migration has filled and clients write to: nothing is taken away. Put back the key that opens it, and run again [F26]`,
      "F26",
    );
  }
  const { pod0 } = await observeWorld(ctx);
  const node = pod0?.spec?.nodeName;
  ctx.log("the keys of the empty store are lost: it is taken away and made anew");
  await ctx.fence.assertHeld();
  await scale(ctx.kube, namespace, release, 0);
  await ctx.kube.waitFor<V1Pod & KubeObject>(podsPath(namespace), pod, (object) => object === undefined, {
    what: `${pod} to be gone`,
    timeoutSeconds: ctx.input.podTimeoutSeconds,
  });
  await ctx.fence.assertHeld();
  const env = await migrationEnv(ctx);
  const result = await runJob(ctx, {
    name: "openbao-raft-wipe-fresh",
    script: "wipeFresh.sh",
    env,
    timeoutSeconds: ctx.input.podTimeoutSeconds,
    ...(node !== undefined && { node }),
  });
  refuseOnCode(result, {
    20: ["the volume does not say that the old store was set aside", "F19"],
    21: [strangeMark(env.MIGRATION), "F68"],
    22: [
      "what was set aside lies no longer whole in .openbao-raft-migration/old-raft, so the store at the volume's root may be the only one; nothing is taken away",
      "F19",
    ],
  });
  await ctx.fence.assertHeld();
  await scale(ctx.kube, namespace, release, 1);
  await waitForPod(ctx, pod);
  await until(`${pod} to answer, not initialised`, ctx.input.podTimeoutSeconds, async () => {
    const status = await sealStatusIfUp(ctx.bao(pod));
    if (status?.initialized === false) return { value: true };
    return { seen: status === undefined ? "no answer" : "initialised" };
  });
}

/** Gives errors of the init their place among refusals. */
export async function heldAsRefusal<T>(ctx: StepContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InitHeld) {
      throw new Refused(
        `${error.message}. Nothing of yours is in that store. Look whether another program initialises it; then ${byHand(ctx)}, and run again [${error.hazard}]`,
        error.hazard,
      );
    }
    if (error instanceof ClaimLost) throw new Refused(`${error.message} [F51]`, "F51");
    throw error;
  }
}

function refuse(hazard: string, why: string): Observation {
  return { state: "refuse", hazard, why };
}
