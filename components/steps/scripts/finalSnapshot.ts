// Before: the Raft source is stopped, and an earlier snapshot of it is kept.
// After: a snapshot of the stopped store lies beside that one: it holds every acknowledged write (hazard F23).
import type { V1Pod } from "@kubernetes/client-node";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type { KubeObject } from "../../cluster/kubeClient";
import { OpenBaoUnreachable } from "../../cluster/openBaoClient";
import { health, sealStatusIfUp, unseal } from "../../cluster/openBaoStatus";
import { loopbackConfig } from "../../openBaoConfig/loopbackConfig";
import { auditDevices } from "../../openBaoConfig/serverConfig";
import { saveSnapshot } from "../../snapshot/snapshotTransfer";
import { removeJob, startJob } from "../nodeJob";
import { serverConfigText } from "../renderedConfig";
import { Refused, type Facts, type Step, type StepContext } from "../runStep";
import { provedSnapshot, refuseUnwritable, snapshotFacts, snapshotPath } from "../snapshotFile";
import { finalSnapshotJob, MEMORY_LIMIT_BYTES } from "../stepJobs";
import { observeWorld, podsPath, until } from "../world";

let facts: Facts = {};

export const finalSnapshot: Step = {
  id: "final-snapshot",
  needsPause: true,

  async observe(ctx) {
    const world = await observeWorld(ctx);
    if (world.moved) return { state: "done", observed: { note: "the data is in its new place already" } };
    const done = await ctx.journal.done("final-snapshot");
    if (done !== undefined && existsSync(String(done.observed["file"])))
      return { state: "done", observed: done.observed };
    if ((await ctx.journal.done("set-aside")) !== undefined) {
      return {
        state: "refuse",
        hazard: "F28",
        why: `the snapshot "${String(done?.observed["file"])}" is not on this machine; put it back at its path`,
      };
    }
    if (world.pod0 !== undefined || (world.statefulSet.spec?.replicas ?? 0) > 0) {
      return { state: "refuse", hazard: "F22", why: `${ctx.input.release}-0 exists and takes writes` };
    }
    return { state: "todo", observed: {} };
  },

  async act(ctx) {
    const stopped = await ctx.journal.entries();
    const node = stopped.filter((e) => e.step === "stop" && e.beat === "act").at(-1)?.observed["node"];
    const { nodeId, address, stateBytes } = (await ctx.journal.done("snapshot"))?.observed ?? {};
    if (typeof nodeId !== "string" || typeof address !== "string")
      throw new Refused(
        "the journal does not say under which id the source ran; run stage backup [I15]",
        "I15",
      );
    const source = await serverConfigText(ctx);
    const folders = auditDevices(source).flatMap((device) =>
      device.file_path?.startsWith("/") === true ? [dirname(device.file_path)] : [],
    );
    const job = finalSnapshotJob(ctx.input, {
      files: { "server.hcl": loopbackConfig(source, { path: "/scratch/data", nodeId, address }) },
      env: { BAO_RAFT_NODE_ID: nodeId, BAO_CLUSTER_ADDR: `https://${address}` },
      scratchAt: [...new Set(folders)],
      // The size of the first snapshot's state: the copy is at least as large. One that is not known goes to the disk.
      memory: Number(stateBytes) < MEMORY_LIMIT_BYTES,
      node: typeof node === "string" ? node : undefined,
    });
    // A name of its own each time: no file is ever written over.
    const file = `${snapshotPath(ctx)}.final-${new Date().toISOString().replace(/[:.]/g, "")}`;
    // A second OpenBao with all data is not started for a file that cannot be written.
    await refuseUnwritable(file);
    try {
      await startJob(ctx, job);
      facts = await takeFrom(ctx, await runningPod(ctx, job.name), file);
    } finally {
      await removeJob(ctx.kube, ctx.input.namespace, job.name);
    }
  },

  verify() {
    return Promise.resolve(facts);
  },
};

async function takeFrom(ctx: StepContext, pod: string, file: string): Promise<Facts> {
  const bao = ctx.bao(pod);
  const { unsealKey, rootToken } = await ctx.keys();
  await until(`the copy in ${pod} to answer`, ctx.input.podTimeoutSeconds, async () => {
    const status = await sealStatusIfUp(bao);
    if (status?.initialized === true) return { value: status };
    return { seen: status === undefined ? "no answer" : "not initialised" };
  });
  await unseal(bao, unsealKey).catch((error: unknown) => {
    // A large store opens late: whether it does, the next wait tells.
    if (!(error instanceof OpenBaoUnreachable)) throw error;
  });
  await until(`the copy in ${pod} to be active`, ctx.input.podTimeoutSeconds, async () => {
    const code = await health(bao);
    return code === 200 ? { value: code } : { seen: `sys/health ${code}` };
  });
  await saveSnapshot(bao, rootToken, file, ctx.input.copyTimeoutSeconds * 1000);
  return snapshotFacts(file, await provedSnapshot(ctx, file));
}

async function runningPod(ctx: StepContext, job: string): Promise<string> {
  return until<string>("the pod with the copy to run", ctx.input.podTimeoutSeconds, async () => {
    const pods = await ctx.kube.list<V1Pod & KubeObject>(podsPath(ctx.input.namespace), {
      labelSelector: `app=${job}`,
    });
    const pod = pods.find((one) => one.metadata?.deletionTimestamp === undefined);
    const phase = pod?.status?.phase ?? "no pod yet";
    if (phase === "Failed") throw new Error(`the pod of Job ${job} failed; look at its log`);
    return phase === "Running" ? { value: pod?.metadata?.name ?? "" } : { seen: phase };
  });
}

export default finalSnapshot;
