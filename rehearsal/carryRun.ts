import { createHash } from "node:crypto";
import { join } from "node:path";
import { readJournal } from "../components/cluster/journal";
import { escrowName } from "../components/cluster/keySink";
import { readKeySecret } from "../components/cluster/keySecret";
import { health, openBaoInPod, raftPeers, sealStatus } from "../components/cluster/openBaoStatus";
import type { KubeClient } from "../components/cluster/kubeClient";
import { seeKeyCopy } from "../components/land/keyCopy";
import { unreviewedClaims } from "./driftClaims";
import { LANDED_BRANCH } from "./landedClaims";
import { leakClaim } from "./leaks/leakClaim";
import { changedNothing, moveThroughStages, StageFailed, type StageRun } from "./move";
import type { RehearsalOptions } from "./options";
import type { Claim } from "./outcome";
import type { PulumiStack } from "./pulumiStack";
import { bareReport, eventsOf, stagesClaim, type RunFacts } from "./report/failedReport";
import { finishRun } from "./report/finishRun";
import type { RunReport } from "./report/runReport";
import { KEY_FILE } from "./source/sopsCheckout";
import { installReseedJob, REBUILT, RESEED_JOB } from "./source/reseedJob";
import { SOURCE_NAMESPACE } from "./source/sourceCluster";

const KEY_SECRET = { name: "openbao-unseal", unsealKey: "unseal-key", rootToken: "root-token" };
const SOURCE = { namespace: SOURCE_NAMESPACE, release: "openbao" };
const PODS = ["openbao-0", "openbao-1", "openbao-2"];
/** Everything that the source is loaded with, each mount by its name. */
const GIVEN_UP = ["kv1/", "secret/", "transit/", "pki/", "sys/", "auth/", "identity/", "team-a/"];

/** The config keys that belong to the data path. */
export function carryConfig(carry: RehearsalOptions["carry"], runDir: string): Record<string, unknown> {
  if (carry === "migrate") return {};
  if (carry !== "reseed") return { carry, snapshot: { file: join(runDir, "source.snap") } };
  const jobs = [{ name: RESEED_JOB, rebuilds: [REBUILT.path] }];
  return { carry, reseed: { jobs, discard: GIVEN_UP } };
}

interface ReseedRun {
  readonly options: RehearsalOptions;
  readonly kube: KubeClient;
  readonly stack: PulumiStack;
  readonly facts: RunFacts;
  readonly log: (line: string) => void;
}

/**
 * The move of a store of which nothing is worth keeping. There is no client load: its token ends with the old store.
 * @returns the exit code
 */
export async function rehearseReseed(
  run: ReseedRun & { readonly checkout: string; readonly runDir: string },
): Promise<number> {
  const { options, kube, log } = run;
  await installReseedJob(kube);
  const before = await readKeySecret(kube, SOURCE_NAMESPACE, KEY_SECRET);
  const oldCluster = await clusterIdOf(kube, "openbao-0");
  const report = await reseedReport(run, async (noChange) => {
    const claims = await claimsOfReseed(kube, before, oldCluster, noChange);
    claims.push(...(await unreviewedClaims(kube, run.checkout, options.delivery)));
    claims.push(await leakClaim(kube, run.runDir, options.context === undefined));
    return options.sops ? [...claims, await keysInGit(kube, run.checkout)] : claims;
  });
  return await finishRun(report, run.runDir, log);
}

/**
 * Takes the stack through the stages, and reports; a stage that fails, or a store that cannot be looked at, is a claim
 * that does not hold.
 */
export async function reseedReport(
  { options, kube, stack, facts, log }: ReseedRun,
  claimsOf: (noChange: boolean) => Promise<Claim[]>,
): Promise<RunReport> {
  let passed: readonly StageRun[] = [];
  let failed: StageFailed | undefined;
  let claims: Claim[] = [];
  try {
    passed = await moveThroughStages(stack, kube, options, log);
  } catch (error) {
    if (!(error instanceof StageFailed)) throw error;
    failed = error;
    passed = error.before;
    log(error.message);
  }
  if (failed === undefined)
    claims = await claimsOf(changedNothing(await stack.up())).catch((error: unknown) => [
      {
        claim: "the moved store could be looked at",
        holds: false,
        seen: error instanceof Error ? error.message : String(error),
      },
    ]);
  // Without an answer of the cluster the report still says how far the run came.
  const journal = await readJournal(kube, SOURCE_NAMESPACE).catch(() => []);
  return bareReport({
    facts,
    passed,
    claims: [stagesClaim(passed, failed), ...claims],
    journal: eventsOf(journal),
  });
}

/** What a moved store of which nothing was kept is held against. */
export async function claimsOfReseed(
  kube: KubeClient,
  before: { readonly unsealKey: string; readonly rootToken: string },
  oldCluster: string,
  noChange: boolean,
): Promise<Claim[]> {
  const now = await readKeySecret(kube, SOURCE_NAMESPACE, KEY_SECRET);
  const kept = await readKeySecret(kube, SOURCE_NAMESPACE, { ...KEY_SECRET, name: escrowName(KEY_SECRET) });
  const nodes = PODS.map((pod) => openBaoInPod(kube, SOURCE, pod));
  try {
    const ids = await Promise.all(nodes.map(async (bao) => (await sealStatus(bao)).clusterId ?? "none"));
    const codes = await Promise.all(nodes.map((bao) => health(bao)));
    const active = nodes[codes.indexOf(200)];
    if (active === undefined) throw new Error(`no active node was found: sys/health ${codes.join(", ")}`);
    const voters = (await raftPeers(active, now.rootToken)).filter((peer) => peer.voter).length;
    const rebuilt = await active.request("GET", `/v1/${REBUILT.read}`, { token: now.rootToken });
    const one = new Set(ids).size === 1;
    return [
      {
        claim: "three voters of one new cluster",
        holds: voters === 3 && one && ids[0] !== oldCluster,
        seen: `${voters} voters, ${[...new Set(ids)].join(", ")}, before ${oldCluster}`,
      },
      {
        claim: "the key Secret holds the new keys, and the old ones are kept in a Secret of their own",
        holds:
          kept.unsealKey === before.unsealKey &&
          kept.rootToken === before.rootToken &&
          now.unsealKey !== before.unsealKey,
        seen: `old ${mark(before.unsealKey)}, kept ${mark(kept.unsealKey)}, now ${mark(now.unsealKey)}`,
      },
      {
        claim: "the Job has filled the new store",
        holds: rebuilt.status === 200,
        seen: `HTTP ${rebuilt.status}`,
      },
      {
        claim: "a second pulumi up changes nothing",
        holds: noChange,
        seen: noChange ? "no change" : "changes",
      },
    ];
  } finally {
    for (const bao of nodes) bao.close();
  }
}

/** By sops itself, from the branch that was landed. */
async function keysInGit(kube: KubeClient, checkout: string): Promise<Claim> {
  const live = await readKeySecret(kube, SOURCE_NAMESPACE, KEY_SECRET);
  const place = { checkout, branch: LANDED_BRANCH, file: KEY_FILE, namespace: SOURCE_NAMESPACE };
  const { state } = await seeKeyCopy({ ...place, secret: KEY_SECRET }, live);
  return { claim: "Git holds the new keys, encrypted by SOPS", holds: state === "same", seen: state };
}

/** "none" for a server that tells of none. */
export async function clusterIdOf(kube: KubeClient, pod: string): Promise<string> {
  const bao = openBaoInPod(kube, SOURCE, pod);
  try {
    return (await sealStatus(bao)).clusterId ?? "none";
  } finally {
    bao.close();
  }
}

/** Enough of a digest to tell two keys of a throw-away cluster apart. */
function mark(key: string): string {
  return createHash("sha256").update(key).digest("hex").slice(0, 6);
}
