import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "prettier";
import { STAGES } from "../../config";
import { planSteps, type StepRecord } from "../steps/plan";
import { checks } from "./checks";
import type { Check } from "./check";
import { NOT_VISIBLE } from "./notVisible";

export const HAZARDS_DOC = join(__dirname, "../../docs/hazards.md");

/** docs/hazards.md, made from the check records: `node --import tsx components/gate/hazardsDoc.ts` writes it. */
export async function hazardsDoc(): Promise<string> {
  const text = [
    "# What the gate checks",
    "",
    "Made from the records in components/gate by `node --import tsx components/gate/hazardsDoc.ts`; do not edit.",
    "",
    "The gate looks once at the cluster, in `pulumi preview` and again in `pulumi up`, and changes nothing. A check",
    "that blocks stops the run when it fails, and also when it cannot be judged. Checks of stages beyond the",
    "configured one are shown as LATER and stop nothing. Ids: I = incident, F = fault, H = fault of the recipe.",
    "",
    ...["every", ...STAGES, "rollback"].flatMap((stage) => stageSection(stage as Check["stage"])),
    "## Waivers",
    "",
    "A waiver is an entry of `openbao-migration:waivers` with `check`, `reason` and `expires`. It is shown in every",
    "report. One that is unknown, expired, given twice or not needed is an error. These cannot be waived:",
    `${checks
      .filter((check) => !check.waivable)
      .map((check) => `\`${check.id}\``)
      .join(", ")}.`,
    "",
    "## Hazards and their guards",
    "",
    "| Hazard | Checks | Steps |",
    "| --- | --- | --- |",
    ...guardRows(),
    "",
    "## Not visible before the act",
    "",
    "| Hazards | Why | Instead |",
    "| --- | --- | --- |",
    ...NOT_VISIBLE.map((one) => row([one.ids.join(", "), one.why, one.instead])),
    "",
  ].join("\n");
  return format(text, { parser: "markdown", printWidth: 110 });
}

function stageSection(stage: Check["stage"]): string[] {
  const mine = checks.filter((check) => check.stage === stage);
  if (mine.length === 0) return [];
  return [
    title(stage),
    "",
    ...mine.flatMap((check) => [
      `### ${check.id}`,
      "",
      `- Hazard: ${escaped(check.hazard.loss)} (${check.hazard.ids.join(", ")})`,
      `- Looks at: ${escaped(check.observe)}`,
      `- When it fails: ${check.severity === "block" ? "blocks" : "warns"}${check.waivable ? "" : "; cannot be waived"}`,
      ...(check.alsoRollback === true ? ["- Also before a rollback"] : []),
      `- Remedy: ${escaped(check.remedy)}`,
      `- Source: ${escaped(check.source)}`,
      "",
    ]),
  ];
}

function title(stage: Check["stage"]): string {
  if (stage === "rollback") return "## Before a rollback";
  return stage === "every" ? "## In every stage" : `## Before stage ${stage}`;
}

function guardRows(): string[] {
  const steps = everyStep();
  const ids = new Set([
    ...checks.flatMap((check) => check.hazard.ids),
    ...steps.flatMap((step) => step.hazards),
  ]);
  const order = (id: string) => id.charAt(0) + id.slice(1).padStart(3, "0");
  return [...ids]
    .sort((a, b) => (order(a) < order(b) ? -1 : 1))
    .map((id) =>
      row([
        id,
        checks
          .filter((check) => check.hazard.ids.includes(id))
          .map((check) => check.id)
          .join(", "),
        steps
          .filter((step) => step.hazards.includes(id))
          .map((step) => step.id)
          .join(", "),
      ]),
    );
}

/** The steps of every data path; a step that several have counts once. */
function everyStep(): StepRecord[] {
  const paths = ["migrate", "restore", "restore-file", "reseed", "none"] as const;
  const all = paths.flatMap((path) => planSteps("openbao", 3, path));
  return [...new Map(all.map((step) => [step.id, step])).values()];
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => escaped(cell).replaceAll("|", "\\|")).join(" | ")} |`;
}

/** Texts are shown as they are: `<release>` is no HTML, and `*` no emphasis. */
function escaped(text: string): string {
  return text.replace(/[<>*_]/g, (mark) => `\\${mark}`);
}

async function write(): Promise<void> {
  const text = await hazardsDoc();
  const old = (() => {
    try {
      return readFileSync(HAZARDS_DOC, "utf8");
    } catch {
      return undefined;
    }
  })();
  if (old !== text) writeFileSync(HAZARDS_DOC, text);
}

if (require.main === module) void write();
