import assert from "node:assert/strict";
import type { Step } from "../../components/steps/runStep";
import { LandedWorld, RELEASE } from "./landedWorld";
import { RAFT_VALUES, StepWorld } from "./stepContext";
import { node } from "./workloadObjects";

/** The worlds that a step may meet, from before the first stage to after the last. */
export const worlds: Readonly<Record<string, (world: StepWorld) => Promise<StepWorld>>> = {
  source: (world) => {
    for (const n of [1, 2, 3]) world.kube.put(`/api/v1/nodes/node-${n}`, node(n));
    world.kube.put("/apis/batch/v1/namespaces/openbao/cronjobs/backup", {});
    for (const name of ["file-copy", "key-proof"])
      world.kube.put(`/api/v1/namespaces/openbao/configmaps/openbao-raft-${name}`, {});
    return Promise.resolve(world);
  },
  paused: async (world) => {
    await world.release({}, true).provenKey();
    await world.done("file-copy");
    return world.done("inventory-cutover");
  },
  stopped: (world) => Promise.resolve(world.release({}, true).statefulSet(0).noPod()),
  carried: (world) => world.release(RAFT_VALUES, true).carriedOver(),
  flipped: (world) => world.release(RAFT_VALUES, true).statefulSet(1, "rev-2").done("flip"),
  flippedOnRaft: (world) =>
    Promise.resolve(world.release(RAFT_VALUES, true).onRaft().statefulSet(1, "rev-2")),
  landed: async (world) => {
    const landed = await LandedWorld.make(true, world);
    // What Flux's Kustomization needs is asked for apart.
    return landed.edit(RELEASE, ({ metadata }) => Reflect.deleteProperty(metadata!, "labels")).world;
  },
  moved: (world) => {
    world.release(RAFT_VALUES, true).onRaft();
    world.servers["openbao-0"]!.peers = [
      { node_id: "openbao-0", address: "openbao-0.openbao-internal:8201", leader: true, voter: true },
    ];
    return world.done("compare-verify");
  },
};

/** The worlds that a step of another data path may meet besides. */
export const carryWorlds: Readonly<Record<string, (world: StepWorld) => Promise<StepWorld>>> = {
  raft: async (world) => {
    world.release(RAFT_VALUES, true).onRaft();
    await world.done("snapshot", { nodeId: "openbao-0", address: "openbao-0.openbao-internal:8201" });
    return world.done("reseed-check");
  },
  raftStopped: async (world) => {
    world.release(RAFT_VALUES, true).statefulSet(0).noPod().rendered("raft");
    await world.done("snapshot", { nodeId: "openbao-0", address: "openbao-0.openbao-internal:8201" });
    return world.context.input.step === "set-aside" ? world.done("final-snapshot") : world;
  },
  empty: (world) => {
    world.release(RAFT_VALUES, true).onRaft({ initialized: false, sealed: true });
    world.kube.put("/api/v1/namespaces/openbao/secrets/openbao-unseal", { data: {} });
    return world.done("set-aside");
  },
  filled: (world) => world.release(RAFT_VALUES, true).onRaft().done("init"),
};

export const RESEED = {
  jobs: [
    { kind: "CronJob" as const, name: "fill", rebuilds: [] },
    { kind: "Job" as const, name: "seed", rebuilds: [] },
  ],
  discard: [],
};

/** The step of a file in steps/scripts. */
export async function scriptOf(name: string): Promise<Step> {
  const script = (await import(`../../components/steps/scripts/${name}`)) as Record<string, Step>;
  const step = Object.values(script).find((one) => typeof one.observe === "function");
  assert.ok(step !== undefined);
  return step;
}
