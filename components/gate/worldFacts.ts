import { createHash } from "node:crypto";
import { planDigest } from "../evidence/planDigest";
import type { Gate } from "./judged";
import { clean, type Observed } from "./observed";
import { planPartsOf } from "./planParts";

/** What a preview was judged on, by name, in short texts without a secret. */
export type WorldFacts = Readonly<Record<string, string>>;

/**
 * Pure: the facts that must still hold when the preview is carried out (hazard F64). Figures that move by themselves,
 * such as free space or times, are left to the checks, whose verdicts are among the facts.
 */
export function worldFacts({ snapshot, config, report, observed }: Gate): WorldFacts {
  const facts: Record<string, string> = {
    config: digest(config),
    plan: planDigest(planPartsOf(snapshot, config)),
    "stage observed": observed,
    HelmRelease: told(snapshot.release, (one) =>
      one === undefined
        ? "absent"
        : `generation ${one.generation ?? "?"}, ${one.mode}${one.suspended ? ", suspended" : ""}`,
    ),
    StatefulSet: told(snapshot.statefulSet, (one) =>
      one === undefined ? "absent" : `${one.replicas} replicas, ${one.image}, revision ${one.updateRevision}`,
    ),
    "server config": told(snapshot.serverConfig, digest),
    "key Secret": told(snapshot.keySecret, (one) => (one.present ? `version ${one.version}` : "absent")),
    "network policies": told(snapshot.policies, digest),
    "Cilium policies": told(snapshot.ciliumPolicies, digest),
    journal: told(snapshot.journal, (entries) => `${entries.length} entries`),
    "run id": told(snapshot.runId, (id) => id ?? "none"),
    rehearsal: told(snapshot.rehearsal, digest),
    checkout: told(snapshot.checkout, (one) =>
      one === undefined ? "none" : `${one.folder}, branch ${one.branch}, ${one.changed.length} changes`,
    ),
    ...each(snapshot.pods, "pod", (pod) => `uid ${pod.uid}, revision ${pod.revision}, ${pod.image}`),
    ...each(snapshot.claims, "claim", (claim) => `${claim.phase}, volume ${claim.volume}`),
    ...each(snapshot.owners, "writer", (one) => (one.suspended ? "suspended" : "active")),
    ...each(snapshot.cronJobs, "CronJob", (one) => (one.suspended ? "suspended" : "active")),
  };
  for (const [pod, status] of Object.entries(snapshot.servers)) {
    facts[clean(`server ${pod}`)] = told(
      status,
      ({ seal }) =>
        `storage ${seal.storageType}, ${seal.initialized ? "initialised" : "not initialised"}, ${seal.sealed ? "sealed" : "unsealed"}, version ${seal.version}, cluster ${seal.clusterId ?? "none"}`,
    );
  }
  for (const row of report.rows) facts[`check ${row.check.id}`] = row.outcome;
  return facts;
}

/** What differs, fact by fact; absent ones too. */
export function factDifferences(
  before: WorldFacts,
  now: WorldFacts,
): { readonly fact: string; readonly before: string; readonly now: string }[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .map((fact) => ({ fact, before: factOf(before, fact), now: factOf(now, fact) }))
    .filter((one) => one.before !== one.now);
}

function factOf(facts: WorldFacts, fact: string): string {
  return Object.hasOwn(facts, fact) ? facts[fact]! : "absent";
}

function told<T>(part: Observed<T>, say: (value: T) => string): string {
  return clean(part.known ? say(part.value) : `not known: ${part.why}`, 500);
}

function each<T extends { readonly name: string }>(
  part: Observed<readonly T[]>,
  kind: string,
  say: (value: T) => string,
): Record<string, string> {
  if (!part.known) return { [`${kind}s`]: told(part, () => "") };
  return Object.fromEntries(
    part.value.map((one) => [clean(`${kind} ${one.name}`), told({ known: true, value: one }, say)]),
  );
}

function digest(value: unknown): string {
  if (value === undefined) return "none";
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
}
