import * as pulumi from "@pulumi/pulumi";
import type { MigrationConfig } from "../../config";
import { parseEvidence, type Evidence } from "../evidence/evidence";
import { clean } from "./observed";

/** What another stack exports of its rehearsal, or why there is nothing to go by. */
export type RehearsalView =
  | { readonly stack: string; readonly evidence: Evidence }
  | { readonly stack?: string; readonly fault: string };

/**
 * Reads the stack output "evidence" of `stack` by the function behind pulumi.StackReference. The class itself would end
 * the program at a stack that is not there, before the other findings are shown (ADR 5).
 * @returns undefined when the config says that this stack is the rehearsal; no name of a stack says so
 */
export async function readRehearsal({
  stack,
  throwAway,
}: Pick<MigrationConfig["rehearsal"], "stack" | "throwAway">): Promise<RehearsalView | undefined> {
  if (throwAway) return undefined;
  if (stack === undefined) return { fault: "no rehearsal is named" };
  if (isThisStack(stack)) return { stack, fault: `stack "${stack}" is this stack itself` };
  try {
    const read: unknown = await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name: stack });
    const outputs = (read as { outputs?: unknown } | undefined)?.outputs;
    const value = (outputs as Record<string, unknown> | undefined)?.["evidence"];
    const parsed = parseEvidence(value);
    return "evidence" in parsed ? { stack, evidence: parsed.evidence } : { stack, fault: parsed.fault };
  } catch (error) {
    const why = (error instanceof Error ? error.message : "") || "no answer";
    return { stack, fault: clean(`its outputs cannot be read: ${why}`, 300) };
  }
}

/** True for NAME, or ORG/PROJECT/NAME, of the running stack. */
function isThisStack(stack: string): boolean {
  const parts = stack.split("/");
  const project = parts.length > 1 ? parts.at(-2) : pulumi.getProject();
  return parts.at(-1) === pulumi.getStack() && project === pulumi.getProject();
}
