import { isDeepStrictEqual } from "node:util";
import type { KubeClient, KubeObject } from "../cluster/kubeClient";
import { POLICY_NAME } from "../gate/readPolicies";
import {
  ciliumPolicyObject,
  networkPolicyObject,
  type Direction,
  type PolicyPlace,
  type RaftPolicyObject,
} from "../raftPolicyObjects";
import { refusal } from "./landRefusal";

type Policy = KubeObject & { spec?: { policyTypes?: readonly string[]; ingress?: object; egress?: object } };

/**
 * The policies of stage network that run, as Git is to say them; none where nothing is restricted.
 * @throws LandRefusal for one that somebody has changed: Git would take the change back.
 */
export async function livePolicies(kube: KubeClient, place: PolicyPlace): Promise<RaftPolicyObject[]> {
  const at = (group: string, plural: string): string =>
    `/apis/${group}/namespaces/${encodeURIComponent(place.namespace)}/${plural}/${POLICY_NAME}`;
  const [own, cilium] = await Promise.all([
    kube.find<Policy>(at("networking.k8s.io/v1", "networkpolicies")),
    kube.find<Policy>(at("cilium.io/v2", "ciliumnetworkpolicies")),
  ]);
  return [
    ...same(own, (spec) => networkPolicyObject(place, (spec.policyTypes ?? []) as Direction[])),
    ...same(cilium, (spec) => ciliumPolicyObject(place, directionsOf(spec))),
  ];
}

function same(
  live: Policy | undefined,
  wantedBy: (spec: NonNullable<Policy["spec"]>) => RaftPolicyObject,
): RaftPolicyObject[] {
  if (live === undefined) return [];
  const wanted = wantedBy(live.spec ?? {});
  if (isDeepStrictEqual(live.spec, wanted.spec)) return [wanted];
  throw refusal(
    `${wanted.kind} ${wanted.metadata.namespace}/${POLICY_NAME}`,
    "rules in the cluster that stage network did not make",
    "its own rules",
    "put yours into a policy of another name; pulumi up --refresh makes this one as it was",
  );
}

function directionsOf(spec: NonNullable<Policy["spec"]>): Direction[] {
  return [
    ...(spec.ingress === undefined ? [] : ["Ingress" as const]),
    ...(spec.egress === undefined ? [] : ["Egress" as const]),
  ];
}
