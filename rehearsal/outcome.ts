import { STAGES } from "../config";
import type { KubeClient } from "../components/cluster/kubeClient";
import type { JournalEntry } from "../components/cluster/journal";
import { readJournal } from "../components/cluster/journal";
import { parseEvidence } from "../components/evidence/evidence";
import { readKeySecret } from "../components/cluster/keySecret";
import {
  health,
  openBaoInPod,
  raftPeers,
  sealStatus,
  type RaftPeer,
} from "../components/cluster/openBaoStatus";
import { longestOutage, summarise, type LoadLog } from "./load/loadLog";
import { startsIn } from "../components/steps/oneUnseal";
import { serverLog } from "./serverLogs";
import { onRaftBetween, splitLost, type LostWrites } from "./load/lostByRollback";
import { verifyAcknowledged, type AcknowledgedCheck } from "./load/verifyAcknowledged";
import type { StageRun } from "./move";
import type { RehearsalOptions } from "./options";
import { SOURCE_NAMESPACE } from "./source/sourceCluster";
import { TLS_CONFIG } from "./source/sourceTls";
import { verifySource } from "./source/verifySource";
import { readTls, tlsClaims, type TlsView } from "./tlsClaims";

export interface Claim {
  readonly claim: string;
  readonly holds: boolean;
  readonly seen: string;
}

/** A number beside its aim: on a busy machine it is missed, and nothing is wrong. */
export interface Measure {
  readonly what: string;
  readonly aim: string;
  readonly seen: string;
}

/** What the gate and its preview took, and the way back. No claim: the verdict does not hang on it. */
export function measuresOf(
  stages: readonly Pick<StageRun, "name" | "previewSeconds" | "lookSeconds" | "upSeconds">[],
): Measure[] {
  const back = stages.find(({ name }) => name === "rollback");
  const longest = (seconds: readonly number[]) => {
    const known = seconds.filter((one) => !Number.isNaN(one));
    return known.length === 0 ? "not measured" : `${Math.max(...known).toFixed(1)} s`;
  };
  return [
    {
      what: "longest preview of a stage",
      aim: "10 s",
      seen: longest(stages.map((stage) => stage.previewSeconds)),
    },
    { what: "longest look of the gate", aim: "5 s", seen: longest(stages.map((stage) => stage.lookSeconds)) },
    ...(back === undefined
      ? []
      : [
          {
            what: "the way back, the whole pulumi up",
            aim: "60 s plus the server's start",
            seen: `${back.upSeconds.toFixed(1)} s`,
          },
        ]),
  ];
}

/** What the rehearsal looks at by itself at the end, not through the program. */
export interface Outcome {
  readonly peers: readonly RaftPeer[];
  readonly clusterIds: readonly string[];
  readonly acknowledged: AcknowledgedCheck;
  /** Present when the move was taken back once: writes that Raft had acknowledged before that, and that are gone. */
  readonly takenBack?: LostWrites;
  readonly contentDifferences: readonly string[];
  /** How often each server has started to serve since its process began. */
  readonly starts: readonly number[];
  readonly journal: readonly JournalEntry[];
  /** Present for a source with TLS. */
  readonly tls?: TlsView;
}

const PODS = ["openbao-0", "openbao-1", "openbao-2"];
const KEY_SECRET = { name: "openbao-unseal", unsealKey: "unseal-key", rootToken: "root-token" };

/** Reads the moved cluster: peers, cluster ids, every acknowledged write and the generated content. */
export async function observeOutcome(
  kube: KubeClient,
  loads: readonly LoadLog[],
  content: { readonly seed: string; readonly keys: number },
  tls = false,
): Promise<Outcome> {
  const { rootToken } = await readKeySecret(kube, SOURCE_NAMESPACE, KEY_SECRET);
  const server = { namespace: SOURCE_NAMESPACE, release: "openbao", ...(tls && { tls: TLS_CONFIG }) };
  const nodes = PODS.map((pod) => openBaoInPod(kube, server, pod));
  try {
    const clusterIds = await Promise.all(
      nodes.map(async (bao) => (await sealStatus(bao)).clusterId ?? "none"),
    );
    const codes = await Promise.all(nodes.map((bao) => health(bao)));
    const active = nodes[codes.indexOf(200)];
    if (active === undefined) throw new Error(`no active node was found: sys/health ${codes.join(", ")}`);
    const journal = await readJournal(kube, SOURCE_NAMESPACE);
    const window = onRaftBetween(journal);
    const checks = [];
    const takenBack: LostWrites[] = [];
    for (const load of loads) {
      const check = await verifyAcknowledged(active, rootToken, load);
      const split = splitLost(load, check.lost, window);
      takenBack.push(split);
      checks.push({ ...check, lost: split.unexpected });
    }
    return {
      peers: await raftPeers(active, rootToken),
      clusterIds,
      acknowledged: {
        checked: checks.reduce((sum, check) => sum + check.checked, 0),
        lost: checks.flatMap((check) => check.lost),
        wrong: checks.flatMap((check) => check.wrong),
      },
      ...(window !== undefined && {
        takenBack: {
          inWindow: takenBack.reduce((sum, one) => sum + one.inWindow, 0),
          expected: takenBack.flatMap((one) => one.expected),
          unexpected: takenBack.flatMap((one) => one.unexpected),
        },
      }),
      starts: await Promise.all(
        PODS.map(async (pod) => startsIn(await serverLog(kube, SOURCE_NAMESPACE, pod))),
      ),
      contentDifferences: await verifySource(active, rootToken, content),
      journal,
      ...(tls && { tls: await readTls(kube, PODS) }),
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
  evidence: unknown,
  carry: RehearsalOptions["carry"] = "migrate",
): Claim[] {
  const parsed = parseEvidence(evidence);
  const passed = "evidence" in parsed ? Object.keys(parsed.evidence.stages) : [];
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
    {
      claim: "each server started to serve once",
      // A restore puts a second store into the first server while it runs; a pod that came back since has served one.
      holds: outcome.starts.every(
        (starts, at) => starts === 1 || (starts === 2 && carry === "restore" && at === 0),
      ),
      seen: `${outcome.starts.join(", ")} start(s)`,
    },
    carriedClaim(outcome, carry),
    ...(outcome.tls === undefined ? [] : tlsClaims(outcome.tls)),
    {
      claim: "no entry of the content inventory is lost or older",
      holds: compared["lost"] === 0 && compared["regressed"] === 0 && Number(compared["equal"]) > 0,
      seen: `${String(compared["equal"])} equal, ${String(compared["newer"])} newer, ${String(compared["lost"])} lost`,
    },
    {
      claim: "the content digests before and after are equal",
      holds: compared["sameDigest"] === true && compared["changed"] === 0,
      seen: `${String(compared["changed"])} changed, ${String(compared["added"])} added; keyed digests ${short(compared["digestBefore"])} and ${short(compared["digestAfter"])}`,
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
    ...rollbackClaims(outcome, load),
    {
      claim: "a second pulumi up changes nothing",
      holds: noChange,
      seen: noChange ? "no change" : "changes",
    },
    {
      claim: "the stack exports the evidence of every stage, bound to this run and plan",
      holds: STAGES.every((stage) => passed.includes(stage)),
      seen:
        "fault" in parsed ? parsed.fault : `run ${parsed.evidence.runId}: ${passed.join(", ") || "no stage"}`,
    },
  ];
}

function short(digest: unknown): string {
  return typeof digest === "string" ? digest.slice(0, 12) : "none";
}

/** What a rehearsal with a rollback claims besides: the client kept writing all the time. */
function rollbackClaims({ takenBack, journal }: Outcome, load: LoadLog): Claim[] {
  if (takenBack === undefined) return [];
  const compared = journal.find((entry) => entry.step === "rollback-compare" && entry.beat === "done");
  const { lost, regressed, equal } = compared?.observed ?? {};
  const at = (step: string, beat: string) =>
    Date.parse(journal.find((entry) => entry.step === step && entry.beat === beat)?.time ?? "");
  const outage = longestOutage(load, at("rollback-stop", "act"), at("rollback-unseal", "done"));
  return [
    {
      claim: "the way back lost nothing that the file storage had",
      holds: lost === 0 && regressed === 0 && Number(equal) > 0,
      seen: `${String(equal)} equal, ${String(lost)} lost, ${String(regressed)} older; no write for ${(outage.lengthMs / 1000).toFixed(1)} s`,
    },
    {
      claim:
        "only writes acknowledged on Raft before the way back are gone, and the stale store was not used again",
      holds:
        takenBack.unexpected.length === 0 &&
        takenBack.inWindow > 0 &&
        takenBack.expected.length === takenBack.inWindow,
      seen: `${takenBack.inWindow} acknowledged between the stop and the way back, ${takenBack.expected.length} of them gone, ${takenBack.unexpected.length} others gone`,
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
