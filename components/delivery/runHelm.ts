import { spawn } from "node:child_process";
import type { HelmName } from "./helmRecord";

/** Where Helm is to act. */
export interface HelmTarget extends HelmName {
  /** Context of the kubeconfig. @default its current one */
  readonly context?: string;
}

/** Helm ended with another code than 0, or could not be started; the message holds its last words on standard error. */
export class HelmError extends Error {
  override readonly name = "HelmError";
  /** @param summary the message without Helm's own words, which may quote a rendered value */
  constructor(
    message: string,
    readonly summary: string,
  ) {
    super(message);
  }
}

/** Characters; Helm may quote a rendered line, so only its last words are kept. */
const KEPT_ERROR = 400;
/** So long what Helm has printed may take to come after its end. */
const PIPES_MS = 1_000;

/** The newest revision's values are given whole, so that what a killed run left behind has no say. */
export function upgradeArgs(target: HelmTarget, chart: string, more: readonly string[]): readonly string[] {
  const { release, namespace, context } = target;
  return [
    "upgrade",
    release,
    chart,
    "--namespace",
    namespace,
    ...(context === undefined ? [] : ["--kube-context", context]),
    "--reset-values",
    "--values",
    "-",
    ...more,
  ];
}

/**
 * Runs the real Helm with an argv array and `values` on its standard input, and gives what it printed.
 * @param timeoutMs after which it is told to stop; it then marks its revision as failed.
 * @param graceMs after which one that does not stop is ended: a credential plugin of the kubeconfig may hang.
 * @throws HelmError
 */
export function runHelm(
  args: readonly string[],
  values: object | undefined,
  timeoutMs: number,
  graceMs = 10_000,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("helm", args, { stdio: ["pipe", "pipe", "pipe"], env: helmEnv(process.env) });
    const limit = setTimeout(() => child.kill("SIGTERM"), timeoutMs);
    const end = setTimeout(() => child.kill("SIGKILL"), timeoutMs + graceMs);
    const printed: Buffer[] = [];
    let error = "";
    child.stdout.on("data", (chunk: Buffer) => printed.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => (error = (error + chunk.toString()).slice(-KEPT_ERROR)));
    // Helm may end before it reads its values; its exit code tells that story.
    child.stdin.on("error", () => undefined);
    child.stdin.end(values === undefined ? "" : JSON.stringify(values));
    child.once("error", (cause) => {
      clearTimeout(limit);
      clearTimeout(end);
      const why = `helm cannot be run (${cause.message}); put Helm 3.13 or later on PATH`;
      reject(new HelmError(why, why));
    });
    child.once("exit", () => {
      clearTimeout(limit);
      clearTimeout(end);
      // The plugin lives on with Helm's standard error, which would never close.
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, PIPES_MS).unref();
    });
    child.once("close", (code, signal) => {
      if (code === 0) resolve(Buffer.concat(printed).toString("utf8"));
      else {
        const summary = `helm ${args[0]} ended with ${signal ?? code}`;
        reject(new HelmError(`${summary}: ${error.trim()}`, summary));
      }
    });
  });
}

/** Helm's own variables could name another cluster, namespace or storage than this program looks at. */
function helmEnv(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(own).filter(
    ([name]) => !/^HELM_(KUBE|NAMESPACE|DRIVER|DEBUG|BURST|QPS|MAX_HISTORY)/.test(name),
  );
  return { ...Object.fromEntries(kept), HELM_DRIVER: "secret" };
}
