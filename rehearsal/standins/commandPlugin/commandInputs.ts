import { isObject, reveal, UNKNOWN, type WireObject, type WireValue } from "./wireValues";

/** Which streams of the command are shown while it runs. */
export type Logging = "stdout" | "stderr" | "stdoutAndStderr" | "none";

/** The inputs of command:local:Command that the stand-in knows, with secrets revealed. */
export interface CommandInputs {
  readonly create?: string;
  readonly update?: string;
  readonly delete?: string;
  readonly stdin?: string;
  readonly dir?: string;
  readonly logging?: Logging;
  readonly interpreter?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly addPreviousOutputInEnv?: boolean;
}

/** A fault of one input, as the engine reports it under the resource. */
export interface InputFault {
  readonly property: string;
  readonly reason: string;
}

const loggings: readonly string[] = ["stdout", "stderr", "stdoutAndStderr", "none"];
const text = { expected: "a string", holds: (value: WireValue) => typeof value === "string" };
const known: Readonly<Record<string, { expected: string; holds(value: WireValue): boolean }>> = {
  create: text,
  update: text,
  delete: text,
  stdin: text,
  dir: text,
  logging: {
    expected: loggings.map((name) => `"${name}"`).join(", "),
    holds: (value) => typeof value === "string" && loggings.includes(value),
  },
  interpreter: { expected: "a list of strings", holds: isTextList },
  environment: {
    expected: "a map of strings",
    holds: (value) => isObject(value) && isTextList(Object.values(value)),
  },
  triggers: { expected: "a list", holds: Array.isArray },
  addPreviousOutputInEnv: { expected: "true or false", holds: (value) => typeof value === "boolean" },
};

/** Names of the inputs, which are also kept among the outputs. */
export const inputNames: readonly string[] = Object.keys(known);

/** Gives every fault of the inputs at once. Unknown values (preview) and absent ones pass. */
export function inputFaults(inputs: WireObject): InputFault[] {
  return Object.entries(inputs).flatMap(([property, raw]): InputFault[] => {
    const value = reveal(raw) ?? null;
    const rule = known[property];
    if (value === null || property.startsWith("__") || property === "version") return [];
    if (property === "assetPaths" || property === "archivePaths") {
      const reason = `"${property}" needs the real @pulumi/command plugin; this is the rehearsal's stand-in. Leave it out.`;
      return [{ property, reason }];
    }
    if (!rule) return [{ property, reason: `"${property}" is no input; expected ${inputNames.join(", ")}.` }];
    if (value === UNKNOWN || rule.holds(value)) return [];
    // The value itself may be a secret, so only its kind is told.
    return [{ property, reason: `"${property}" is ${kindOf(value)}; expected ${rule.expected}.` }];
  });
}

/** Reads checked inputs; secrets are revealed, so the result must not go back to the engine. */
export function readInputs(properties: WireObject): CommandInputs {
  const plain = reveal(properties) as WireObject;
  const entries = inputNames.map((name) => [name, plain[name] ?? undefined]);
  return Object.fromEntries(entries) as CommandInputs;
}

function isTextList(value: WireValue): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function kindOf(value: WireValue): string {
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a map" : `a ${typeof value} that is not allowed`;
}
