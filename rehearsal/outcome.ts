import type { KubeClient } from "../components/cluster/kubeClient";
import type { JournalEntry } from "../components/cluster/journal";
import { readJournal } from "../components/cluster/journal";
import { readKeySecret } from "../components/cluster/keySecret";
import {
  health,
  openBaoInPod,
  raftPeers,
  sealStatus,
  type RaftPeer,
} from "../components/cluster/openBaoStatus";
import { longestOutage, summarise, type LoadLog } from "./load/loadLog";
import { verifyAcknowledged, type AcknowledgedCheck } from "./load/verifyAcknowledged";
import type { RehearsalOptions } from "./options";
import { SOURCE_NAMESPACE } from "./source/sourceCluster";
import { verifySource } from "./source/verifySource";

export interface Claim {
  readonly claim: string;
  readonly holds: boolean;
  readonly seen: string;
}

/** What the rehearsal looks at by itself at the end, not through the program. */
export interface Outcome {
  readonly peers: readonly RaftPeer[];
  readonly clusterIds: readonly string[];
  readonly acknowledged: AcknowledgedCheck;
  readonly contentDifferences: readonly string[];
  readonly journal: readonly JournalEntry[];
}

const PODS = ["openbao-0", "openbao-1", "openbao-2"];
const KEY_SECRET = { name: "openbao-unseal", unsealKey: "unseal-key", rootToken: "root-token" };

/** Reads the moved cluster: peers, cluster ids, every acknowledged write and the generated content. */
export async function observeOutcome(
  kube: KubeClient,
  loads: readonly LoadLog[],
  content: { readonly seed: string; readonly keys: number },
): Promise<Outcome> {
  const { rootToken } = await readKeySecret(kube, SOURCE_NAMESPACE, KEY_SECRET);
  const nodes = PODS.map((pod) => openBaoInPod(kube, SOURCE_NAMESPACE, pod));
  try {
    const clusterIds = await Promise.all(
      nodes.map(async (bao) => (await sealStatus(bao)).clusterId ?? "none"),
    );
    const codes = await Promise.all(nodes.map((bao) => health(bao)));
    const active = nodes[codes.indexOf(200)];
    if (active === undefined) throw new Error(`no active node was found: sys/health ${codes.join(", ")}`);
    const checks = [];
    for (const load of loads) checks.push(await verifyAcknowledged(active, rootToken, load));
    return {
      peers: await raftPeers(active, rootToken),
      clusterIds,
      acknowledged: {
        checked: checks.reduce((sum, check) => sum + check.checked, 0),
        lost: checks.flatMap((check) => check.lost),
        wrong: checks.flatMap((check) => check.wrong),
      },
      contentDifferences: await verifySource(active, rootToken, content),
      journal: await readJournal(kube, SOURCE_NAMESPACE),
    };
  } finally {
    for (const bao of nodes) bao.close();
  }
}

/** The claims that a passed rehearsal makes, each with what was seen. */
export function claimsOf(
  outcome: Outcome,
  load: LoadLog,
  noChange: boolean,
  carry: RehearsalOptions["carry"] = "migrate",
): Claim[] {
  const { peers, acknowledged, clusterIds } = outcome;
  const voters = peers.filter((peer) => peer.voter).length;
  const leaders = peers.filter((peer) => peer.leader).length;
  const before = observedOf(outcome, "inventory-cutover")["clusterId"];
  const compared = observedOf(outcome, "compare-verify");
  const summary = summarise(load);
  return [
    {
      claim: "three voters and one leader",
      holds: voters === 3 && leaders === 1,
      seen: `${voters} voters, ${leaders} leader`,
    },
    {
      claim: "one cluster id, the source's",
      holds: new Set(clusterIds).size === 1 && clusterIds[0] === before,
      seen: [...new Set(clusterIds)].join(", "),
    },
    carriedClaim(outcome, carry),
    {
      claim: "no entry of the content inventory is lost or older",
      holds: compared["lost"] === 0 && compared["regressed"] === 0 && Number(compared["equal"]) > 0,
      seen: `${String(compared["equal"])} equal, ${String(compared["newer"])} newer, ${String(compared["lost"])} lost`,
    },
    {
      claim: "the generated content is all there (checked without the program)",
      holds: outcome.contentDifferences.length === 0,
      seen: outcome.contentDifferences.slice(0, 3).join("; ") || "no difference",
    },
    {
      claim: "every acknowledged write is readable",
      holds: acknowledged.checked > 0 && acknowledged.lost.length + acknowledged.wrong.length === 0,
      seen: `${acknowledged.checked} checked, ${acknowledged.lost.length} lost, ${acknowledged.wrong.length} wrong; longest outage ${(longestOutage(load).lengthMs / 1000).toFixed(1)} s, ${summary.failedWrites} failed`,
    },
    {
      claim: "a second pulumi up changes nothing",
      holds: noChange,
      seen: noChange ? "no change" : "changes",
    },
  ];
}

/** What proves the data path itself. */
function carriedClaim(outcome: Outcome, carry: RehearsalOptions["carry"]): Claim {
  if (carry === "migrate") {
    const carried = observedOf(outcome, "carry");
    return {
      claim: "the carried Raft store equals the file storage, entry by entry",
      holds: Number(carried["entries"]) > 0 && carried["entries"] === carried["copied"],
      seen: `${String(carried["entries"])} entries in both manifests, ${String(carried["copied"])} copied`,
    };
  }
  const taken = observedOf(outcome, carry === "restore" ? "final-snapshot" : "snapshot");
  const digest = String(taken["sha256"]).slice(0, 12);
  const proved = taken["keyProved"] === true;
  if (carry === "none") {
    return {
      claim: "the backup is a whole snapshot that the stored key opens",
      holds: proved,
      seen: `${digest}, ${String(taken["stateBytes"])} bytes of state`,
    };
  }
  const restored = observedOf(outcome, "restore");
  return {
    claim: "the snapshot of the stopped store was restored, and the stored key opens it",
    holds: proved && restored["sha256"] === taken["sha256"],
    seen: `${digest} taken, ${String(restored["sha256"]).slice(0, 12)} restored`,
  };
}

/** Facts of a step's newest "done" entry. */
export function observedOf(outcome: Outcome, step: string): Readonly<Record<string, unknown>> {
  return (
    outcome.journal.filter((entry) => entry.step === step && entry.beat === "done").at(-1)?.observed ?? {}
  );
}
