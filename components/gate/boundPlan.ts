import { readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { ConfigFinding } from "../../config";
import type { Gate } from "./judged";
import { reportJson } from "./report";
import { factDifferences, worldFacts } from "./worldFacts";

/** Environment variable that names the file of what was previewed; `npm run stage` sets it. It holds no secret. */
export const BOUND_PLAN = "OPENBAO_MIGRATION_BOUND_PLAN";

const MAX_BYTES = 5_000_000;

const schema = z.strictObject({
  format: z.literal(1),
  stack: z.string(),
  stage: z.string(),
  takenAt: z.string(),
  facts: z.record(z.string(), z.string()),
  /** The gate's report for machines. */
  report: z.unknown(),
});

export type BoundPlan = z.infer<typeof schema>;

/**
 * In preview writes what was judged into the file; in an update compares the world with it. Does nothing when the
 * environment names no file: plain `pulumi preview` and `pulumi up` judge the world anew each time.
 * @returns what has moved since the preview
 */
export function bindPlan(
  gate: Gate,
  run: { readonly preview: boolean; readonly stack: string; readonly file?: string },
): readonly ConfigFinding[] {
  const file = run.file ?? process.env[BOUND_PLAN];
  if (file === undefined || file === "") return [];
  const now: BoundPlan = {
    format: 1,
    stack: run.stack,
    stage: gate.config.stage,
    takenAt: gate.snapshot.takenAt,
    facts: worldFacts(gate),
    report: JSON.parse(reportJson(gate.report)) as unknown,
  };
  if (run.preview) {
    writeFileSync(file, JSON.stringify(now), { mode: 0o600 });
    return [];
  }
  return movedSince(file, now);
}

/** The plan in a file. @throws Error that says what is wrong with the file */
export function readBoundPlan(file: string): BoundPlan {
  const text = readFileSync(file, "utf8");
  if (text.length > MAX_BYTES) throw new Error(`${text.length} characters`);
  return schema.parse(JSON.parse(text));
}

function movedSince(file: string, now: BoundPlan): ConfigFinding[] {
  const fix = `npm run stage -- ${now.stack} ${now.stage} (look at the new preview first)`;
  let before: BoundPlan;
  try {
    before = readBoundPlan(file);
  } catch {
    return [
      { key: "previewed plan", found: "a file that cannot be read", expected: "what was previewed", fix },
    ];
  }
  const of = (plan: BoundPlan) => `stack ${plan.stack}, stage ${plan.stage}`;
  if (of(before) !== of(now)) {
    return [{ key: "previewed plan", found: of(before), expected: of(now), fix }];
  }
  return factDifferences(before.facts, now.facts).map((one) => ({
    key: `moved since the preview: ${one.fact}`,
    found: one.now,
    expected: `${one.before}, as previewed at ${before.takenAt}`,
    fix,
  }));
}
