import { spawn, type ChildProcess } from "node:child_process";
import { StringDecoder } from "node:string_decoder";
import type { CommandInputs } from "./commandInputs";

/** What a finished command gave: each stream without its last line break. */
export interface CommandOutputs {
  readonly stdout: string;
  readonly stderr: string;
}

/** Settings of one run that are not inputs of the resource. */
export interface RunOptions {
  /** Streams of the run before, put in the environment unless the inputs forbid it. */
  readonly previous?: Partial<CommandOutputs>;
  /** Receives each finished line of a logged stream while the command runs. */
  readonly onLine: (line: string) => void;
  /** Kills the command after this many seconds. @default no limit */
  readonly timeoutSeconds?: number;
}

// The failure text travels in an HTTP/2 header, percent-encoded, and Node refuses headers over 64 KiB.
const FAILURE_BYTES = 40_000;

const running = new Set<ChildProcess>();
let refusing = false;

/**
 * Runs one command: the interpreter's words, then the command text as the last argument.
 * @throws with the exit status, the command text and both streams when it fails, as the real plugin does.
 */
export async function runCommand(
  command: string,
  inputs: CommandInputs,
  options: RunOptions,
): Promise<CommandOutputs> {
  if (refusing) throw new Error(`The update was cancelled: not running ${JSON.stringify(command)}`);
  const interpreter = inputs.interpreter?.length ? inputs.interpreter : ["/bin/sh", "-c"];
  const [program = "", ...args] = [...interpreter, command];
  const child = spawn(program, args, { cwd: inputs.dir, env: environment(inputs, options.previous) });
  running.add(child);
  const stdout = collect(options, logs(inputs, "stdout"));
  const stderr = collect(options, logs(inputs, "stderr"));
  const both: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => (stdout.add(chunk), both.push(chunk)));
  child.stderr.on("data", (chunk: Buffer) => (stderr.add(chunk), both.push(chunk)));
  // A command that does not read its stdin closes it: no fault of ours.
  child.stdin.on("error", () => undefined).end(inputs.stdin ?? "");
  const timeout = options.timeoutSeconds
    ? setTimeout(() => child.kill("SIGKILL"), options.timeoutSeconds * 1000)
    : undefined;
  try {
    const failure = await new Promise<string | undefined>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("close", (code, signal) => resolve(outcome(code, signal)));
    });
    const outputs = { stdout: stdout.end(), stderr: stderr.end() };
    if (failure === undefined) return outputs;
    throw new Error(
      `${failure}: running ${JSON.stringify(command)}:\n${tail(Buffer.concat(both).toString("utf8"))}`,
    );
  } finally {
    clearTimeout(timeout);
    running.delete(child);
  }
}

/** Sends a signal to every running command. */
export function signalCommands(signal: NodeJS.Signals): void {
  for (const child of running) child.kill(signal);
}

/** Tells how many commands run now. */
export function runningCommands(): number {
  return running.size;
}

/** From now on no command starts: the update is over. */
export function refuseCommands(): void {
  refusing = true;
}

function environment(inputs: CommandInputs, previous: Partial<CommandOutputs> = {}): NodeJS.ProcessEnv {
  const before: NodeJS.ProcessEnv = {};
  if (inputs.addPreviousOutputInEnv !== false) {
    if (previous.stdout) before["PULUMI_COMMAND_STDOUT"] = previous.stdout;
    if (previous.stderr) before["PULUMI_COMMAND_STDERR"] = previous.stderr;
  }
  return { ...process.env, ...inputs.environment, ...before };
}

function logs(inputs: CommandInputs, stream: "stdout" | "stderr"): boolean {
  const logging = inputs.logging ?? "stdoutAndStderr";
  return logging === "stdoutAndStderr" || logging === stream;
}

function collect(options: RunOptions, logged: boolean): { add(chunk: Buffer): void; end(): string } {
  const decoder = new StringDecoder("utf8");
  let text = "";
  let line = "";
  const add = (piece: string): void => {
    text += piece;
    if (!logged) return;
    const lines = (line + piece).split("\n");
    line = lines.pop() ?? "";
    lines.forEach(options.onLine);
  };
  return {
    add: (chunk) => add(decoder.write(chunk)),
    end: () => {
      add(decoder.end());
      if (line) options.onLine(line);
      return text.replace(/\n$/, "");
    },
  };
}

function outcome(code: number | null, signal: NodeJS.Signals | null): string | undefined {
  if (signal) return `signal: ${signal}`;
  return code === 0 ? undefined : `exit status ${code}`;
}

function tail(text: string): string {
  let kept = wellFormed(text.slice(-FAILURE_BYTES));
  while (encodeURI(kept).length > FAILURE_BYTES) kept = wellFormed(kept.slice(Math.ceil(kept.length / 4)));
  return kept.length < text.length
    ? `(the first ${text.length - kept.length} characters are left out)\n${kept}`
    : kept;
}

/** A cut through a surrogate pair would make encodeURI throw. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString("utf8");
}
