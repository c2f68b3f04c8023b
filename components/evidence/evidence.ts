import { createHash } from "node:crypto";
import { z } from "zod";
import { STAGES, type Stage } from "../../config";
import type { JournalEntry, JournalRun } from "../cluster/journal";
import { planDigest, planParts } from "./planDigest";

/** Entries may be this much older than their journal by another clock (hazard F60). */
const CLOCK_TOLERANCE_MS = 600_000;

const stageEvidence = z.strictObject({
  passedAt: z.iso.datetime(),
  planDigest: z.string().regex(/^[0-9a-f]{64}$/),
  plan: planParts,
  /** SHA-256 over run, stage, time, plan digest and the link of the stage before. */
  link: z.string().regex(/^[0-9a-f]{64}$/),
});

const evidenceSchema = z.strictObject({
  format: z.literal(1),
  /** Uid of the journal: the API server gives it once, and no other run has it. */
  runId: z.string().min(1).max(100),
  stages: z.partialRecord(z.enum(STAGES), stageEvidence),
});

/** That one stage was passed, when, and with which plan. */
export type StageEvidence = z.infer<typeof stageEvidence>;
/** What a stack exports of its run: the stack output "evidence". It holds no secret. */
export type Evidence = z.infer<typeof evidenceSchema>;

/** Id of the journal entry that says that a stage was passed. */
export function passedId(stage: Stage): string {
  return `passed-${stage}`;
}

/** Ties a stage to its run, plan, time and the stage before: none of them can come from elsewhere unnoticed. */
export function linkOf(
  runId: string,
  stage: Stage,
  { passedAt, planDigest: digest }: Pick<StageEvidence, "passedAt" | "planDigest">,
  before: string | undefined,
): string {
  const bound = [runId, stage, passedAt, digest, before ?? ""];
  return createHash("sha256").update(JSON.stringify(bound)).digest("hex");
}

/** The link of the nearest stage before `stage` that was passed. */
export function linkBefore(stages: Evidence["stages"], stage: Stage): string | undefined {
  const before = STAGES.slice(0, STAGES.indexOf(stage)).filter((name) => stages[name] !== undefined);
  return before.length === 0 ? undefined : stages[before.at(-1)!]?.link;
}

/** Entries of this very run: a journal that was restored or copied brings older ones (hazards F5, F66). */
export function entriesOf(run: JournalRun): readonly JournalEntry[] {
  const from = Date.parse(run.createdAt) - CLOCK_TOLERANCE_MS;
  return run.entries.filter((entry) => Date.parse(entry.time) >= from);
}

/** What the journal proves; what belongs to another run, or does not hold together, is left out. */
export function evidenceOf(run: JournalRun): Evidence {
  const stages: Evidence["stages"] = {};
  for (const stage of STAGES) {
    const entry = entriesOf(run).find(
      (one) => one.step === passedId(stage) && one.beat === "done" && one.observed["runId"] === run.id,
    );
    if (entry === undefined) continue;
    const parsed = stageEvidence.safeParse({
      passedAt: entry.observed["passedAt"],
      planDigest: entry.observed["planDigest"],
      plan: entry.observed["plan"],
      link: entry.observed["link"],
    });
    if (parsed.success && fault(run.id, stage, parsed.data, stages) === undefined)
      stages[stage] = parsed.data;
  }
  return { format: 1, runId: run.id, stages };
}

/** Reads a stack's output. @returns the evidence, or why it cannot be believed */
export function parseEvidence(value: unknown): { readonly evidence: Evidence } | { readonly fault: string } {
  if (value === undefined || value === null) return { fault: "the stack exports no evidence" };
  const parsed = evidenceSchema.safeParse(value);
  if (!parsed.success) {
    const where = parsed.error.issues.map((issue) => issue.path.join(".") || "evidence");
    return { fault: `the stack's evidence has another form (${[...new Set(where)].slice(0, 3).join(", ")})` };
  }
  const evidence = parsed.data;
  for (const stage of STAGES) {
    const one = evidence.stages[stage];
    const why = one === undefined ? undefined : fault(evidence.runId, stage, one, evidence.stages);
    if (why !== undefined) return { fault: why };
  }
  return { evidence };
}

function fault(
  runId: string,
  stage: Stage,
  one: StageEvidence,
  stages: Evidence["stages"],
): string | undefined {
  if (planDigest(one.plan) !== one.planDigest) return `stage ${stage}: the plan does not fit its digest`;
  return linkOf(runId, stage, one, linkBefore(stages, stage)) === one.link
    ? undefined
    : `stage ${stage}: the entry is not of run ${runId}, or of another order of stages`;
}
