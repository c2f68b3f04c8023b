import { execFile } from "node:child_process";
import { posix } from "node:path";
import { isDeepStrictEqual, promisify } from "node:util";
import { parse } from "yaml";
import type { KubeClient, KubeObject } from "../components/cluster/kubeClient";
import type { Claim } from "./outcome";
import { RAFT_POLICY_FILE, REPLICA_FLOOR_FILE } from "./source/platformFiles";
import { SOURCE_NAMESPACE } from "./source/sourceCluster";

/** The branch of the change set. */
export const LANDED_BRANCH = "openbao-raft";
export const RAFT_POLICY = `/apis/networking.k8s.io/v1/namespaces/${SOURCE_NAMESPACE}/networkpolicies/openbao-raft`;

type Policy = KubeObject & { spec?: object };

/** What of the platform's policies has landed in the checkout, read without the program. */
export async function landedClaims(kube: KubeClient, checkout: string): Promise<Claim[]> {
  const live = await kube.find<Policy>(RAFT_POLICY);
  const read = (file: string) => show(checkout, file);
  return landedPolicies(
    live,
    await read(RAFT_POLICY_FILE),
    await read(posix.join(posix.dirname(RAFT_POLICY_FILE), "kustomization.yaml")),
    await read(REPLICA_FLOOR_FILE),
  );
}

/** Pure: by the policy that runs, and the texts of the branch. */
export function landedPolicies(
  live: Policy | undefined,
  policy: string,
  kustomization: string,
  floor: string,
): Claim[] {
  const landed = parse(policy) as Policy | null;
  const { resources = [] } = (parse(kustomization) ?? {}) as { resources?: readonly string[] };
  const same = live !== undefined && isDeepStrictEqual(landed?.spec, live.spec);
  const listed = resources.includes(posix.basename(RAFT_POLICY_FILE));
  const exempt = exemptedBy(floor);
  return [
    {
      claim: "Git says the NetworkPolicy that runs, and its kustomization lists it",
      holds: same && listed,
      seen: `${same ? "same" : "other"} spec, ${listed ? "listed" : "not listed"}`,
    },
    {
      claim: "Git exempts OpenBao from the replica floor no longer, and still exempts the others",
      holds:
        !exempt.includes("openbao") &&
        ["velero", "flux-system", "observability"].every((one) => exempt.includes(one)),
      seen: exempt.join(", "),
    },
  ];
}

type Floor = { spec: { rules: { exclude: { any: { resources: { namespaces?: string[] } }[] } }[] } };

function exemptedBy(floor: string): string[] {
  const rules = (parse(floor) as Floor | null)?.spec.rules ?? [];
  return rules.flatMap(({ exclude }) => exclude.any.flatMap(({ resources }) => resources.namespaces ?? []));
}

/** The file on the branch; no text where it is not there. */
async function show(checkout: string, file: string): Promise<string> {
  const args = ["-C", checkout, "show", `${LANDED_BRANCH}:${file}`];
  const done = await promisify(execFile)("git", args, { timeout: 30_000 }).catch(() => ({ stdout: "" }));
  return done.stdout;
}
