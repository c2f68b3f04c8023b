import { execFile } from "node:child_process";

/** Where a program's output and progress go: one line a call. */
export type Log = (line: string) => void;

interface RunOptions {
  /** Text for the program's standard input. */
  readonly input?: string;
  /** @default 60000 */
  readonly timeoutMilliseconds?: number;
}

/** An environment without the user's proxies and tokens: only what a system program needs. */
export function plainEnvironment(extra: Record<string, string> = {}): Record<string, string> {
  const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return { PATH: path, HOME: process.env["HOME"] ?? "/", LANG: "C", ...extra };
}

/**
 * Runs a program to its end and gives its standard output.
 * @throws when it cannot be started, exits non-zero or takes too long; the message holds its last output.
 */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const [file = "", ...args] = argv;
  const timeout = options.timeoutMilliseconds ?? 60_000;
  return new Promise((resolve, reject) => {
    const child = execFile(
      file,
      args,
      { env: plainEnvironment(), timeout, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (!error) return resolve(stdout);
        const why = error.killed
          ? `did not end within ${timeout / 1000} s`
          : `failed (${error.code ?? "signal"})`;
        const tail = (stderr.trim() || stdout.trim()).split("\n").slice(-5).join("\n");
        reject(new Error(`${argv.join(" ")} ${why}: ${tail}`, { cause: error }));
      },
    );
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input ?? "");
  });
}

/** Like `run`, for questions where failure is an answer: the output, or undefined. */
export async function tryRun(argv: readonly string[]): Promise<string | undefined> {
  return run(argv).catch(() => undefined);
}
