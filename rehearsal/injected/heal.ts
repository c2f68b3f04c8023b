import type { KubeClient } from "../../components/cluster/kubeClient";
import { volumesDir } from "../cluster/layout";
import { uncordonOurs } from "./cordon";
import { healPackets } from "./packetFilter";
import { healVolumes } from "./volumes";

/** Packets and volumes: without them a cluster may not even come up. */
export async function healMachine(): Promise<void> {
  await healPackets();
  healVolumes(volumesDir());
}

/** Everything that a fault broke, also one of a campaign that was killed. It is found where it is, and noted nowhere. */
export async function healInjected(kube: KubeClient): Promise<void> {
  await healMachine();
  await uncordonOurs(kube);
}
