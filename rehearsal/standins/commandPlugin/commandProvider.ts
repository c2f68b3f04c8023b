import { randomBytes } from "node:crypto";
import { inputFaults, inputNames, readInputs, type InputFault } from "./commandInputs";
import { inputChanges, type PropertyChange } from "./propertyDiff";
import { runCommand, type CommandOutputs } from "./runCommand";
import { reveal, UNKNOWN, type WireObject } from "./wireValues";

/** The one resource type that the stand-in serves. */
export const COMMAND_TYPE = "command:local:Command";

/** What every operation needs to know of its resource. */
export interface Operation {
  readonly urn: string;
  /** Nothing runs in a preview. */
  readonly preview: boolean;
  /** Seconds of a customTimeouts option; 0 means no limit. */
  readonly timeoutSeconds: number;
  /** Receives the lines of the command that are logged. */
  readonly onLine: (line: string) => void;
}

/** Gives the faults of a resource's inputs. @throws when the type is not served here. */
export function check(urn: string, news: WireObject): InputFault[] {
  const type = urn.split("::")[2]?.split("$").at(-1);
  if (type !== COMMAND_TYPE) {
    throw new Error(
      `The rehearsal's stand-in of the command plugin has no "${type}"; it serves only ${COMMAND_TYPE}. ` +
        `Install the real plugin: pulumi plugin install resource command 1.2.1`,
    );
  }
  return inputFaults(news);
}

/** Compares the inputs of the last update, or what state keeps of them, with the new ones. */
export function diff(
  olds: WireObject,
  oldInputs: WireObject | undefined,
  news: WireObject,
): PropertyChange[] {
  return inputChanges(oldInputs ?? onlyInputs(olds), news);
}

/** Runs `create`, unless in a preview. Gives the new resource's id and properties. */
export async function create(
  properties: WireObject,
  op: Operation,
): Promise<{ id: string; properties: WireObject }> {
  const name = op.urn.split("::").at(-1) ?? "";
  const id = `${name}${randomBytes(4).toString("hex")}`;
  if (op.preview) return { id, properties: { ...properties, stdout: UNKNOWN, stderr: UNKNOWN } };
  const inputs = readInputs(properties);
  return { id, properties: { ...properties, ...(await runIf(inputs.create, properties, {}, op)) } };
}

/** Runs `update`, or `create` where there is none, unless in a preview. Gives the new properties. */
export async function update(olds: WireObject, news: WireObject, op: Operation): Promise<WireObject> {
  if (op.preview) return { ...news, stdout: UNKNOWN, stderr: UNKNOWN };
  const inputs = readInputs(news);
  return { ...news, ...(await runIf(inputs.update ?? inputs.create, news, streams(olds), op)) };
}

/** Runs `delete`, when there is one. */
export async function remove(properties: WireObject, op: Operation): Promise<void> {
  await runIf(readInputs(properties).delete, properties, streams(properties), op);
}

async function runIf(
  command: string | undefined,
  properties: WireObject,
  previous: Partial<CommandOutputs>,
  op: Operation,
): Promise<{ stdout: string; stderr: string }> {
  if (command === undefined) return { stdout: previous.stdout ?? "", stderr: previous.stderr ?? "" };
  const { timeoutSeconds, onLine } = op;
  const { stdout, stderr } = await runCommand(command, readInputs(properties), {
    previous,
    timeoutSeconds,
    onLine,
  });
  return { stdout, stderr };
}

function streams(properties: WireObject): Partial<CommandOutputs> {
  const { stdout, stderr } = reveal(properties) as Partial<Record<string, string>>;
  return { stdout, stderr };
}

function onlyInputs(properties: WireObject): WireObject {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => inputNames.includes(key)));
}
