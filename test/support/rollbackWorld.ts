import assert from "node:assert/strict";
import type { KubeObject } from "../../components/cluster/kubeClient";
import { valuesRecord } from "../../components/steps/originalValues";
import { Refused, runBeats, type Step } from "../../components/steps/runStep";
import { RAFT_VALUES, StepWorld } from "./stepContext";

export const RELEASE = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/openbao/helmreleases/openbao";
export const CLAIM = "/api/v1/namespaces/openbao/persistentvolumeclaims/data-openbao-1";
export const OLD_VALUES = { server: { standalone: { enabled: true, config: "x" }, ha: { replicas: 5 } } };

export async function refuses(step: Step, world: StepWorld, hazard: string): Promise<Refused> {
  let seen: unknown;
  await runBeats(step, world.context).catch((error: unknown) => (seen = error));
  assert.equal(seen instanceof Refused, true, String(seen));
  assert.equal((seen as Refused).hazard, hazard, String(seen));
  assert.deepEqual(world.kube.writes, []);
  return seen as Refused;
}

export async function findsDone(step: Step, world: StepWorld): Promise<void> {
  assert.equal((await runBeats(step, world.context)).result, "already-done");
  assert.deepEqual(world.kube.writes, []);
}

/** On Raft and paused, with the record of the old values. */
export function moved(step: string): StepWorld {
  const world = new StepWorld(step).onRaft().release(RAFT_VALUES, true).rendered("raft");
  return annotated(world, valuesRecord({ spec: { values: OLD_VALUES } }));
}

export function annotated(world: StepWorld, more: Record<string, string>): StepWorld {
  const release = world.kube.peek<KubeObject & Record<string, unknown>>(RELEASE)!;
  const annotations = { ...release.metadata?.annotations, ...more };
  world.kube.put(RELEASE, { ...release, metadata: { ...release.metadata, annotations } });
  return world;
}

export const noServer = (world: StepWorld): StepWorld => {
  world.statefulSet(0).noPod();
  world.servers["openbao-0"]!.up = false;
  return world;
};
