import { spawn, type ChildProcess } from "node:child_process";
import {
  actionTimeoutMs,
  releaseName,
  releaseNamespace,
  type ActionSpec,
  type HelmRelease,
} from "./helmRelease";

const keptErrorBytes = 16_384;
// Helm ends by itself at its own timeout; the difference is for its clean-up.
const graceMs = 60_000;

export interface HelmResult {
  ok: boolean;
  /** Helm's own error text, without its "Error: ... FAILED:" prefix; empty when ok. */
  error: string;
}

/** Arguments of one Helm action; values, which may hold secrets, come by stdin (`-f -`). */
export function helmArguments(
  action: "install" | "upgrade" | "rollback" | "uninstall",
  release: HelmRelease,
  chartDir: string,
  rollbackTo?: number,
): string[] {
  const { spec } = release;
  const own: ActionSpec = spec[action] ?? {};
  const flag = (on: boolean | undefined, ...flags: string[]) => (on ? flags : []);
  const name = releaseName(release);
  const shared = [
    ...flag(!own.disableWait, "--wait"),
    ...flag(own.disableHooks, "--no-hooks"),
    "--timeout",
    `${Math.ceil(actionTimeoutMs(spec, own) / 1000)}s`,
    "--namespace",
    releaseNamespace(release),
  ];
  const waitForJobs = flag(
    action !== "uninstall" && !own.disableWait && !own.disableWaitForJobs,
    "--wait-for-jobs",
  );
  const historyMax = ["--history-max", String(spec.maxHistory ?? 5)];
  const fromChart = [
    ...flag(!own.disableTakeOwnership, "--take-ownership"),
    ...flag(own.disableSchemaValidation, "--skip-schema-validation"),
    ...flag(own.disableOpenAPIValidation, "--disable-openapi-validation"),
    ...flag(own.crds === "Skip", "--skip-crds"),
    "--values",
    "-",
  ];
  switch (action) {
    case "install":
      // An uninstalled release that kept its history is replaced, as Flux does.
      return [
        ...[action, name, chartDir, ...shared, ...waitForJobs, ...fromChart, "--replace"],
        ...flag(own.createNamespace, "--create-namespace"),
      ];
    case "upgrade":
      return [
        ...[action, name, chartDir, ...shared, ...waitForJobs, ...fromChart, ...historyMax],
        own.preserveValues ? "--reuse-values" : "--reset-values",
        ...flag(own.cleanupOnFail, "--cleanup-on-fail"),
        ...flag(own.force, "--force"),
      ];
    case "rollback":
      return [
        ...[action, name, String(rollbackTo), ...shared, ...waitForJobs, ...historyMax],
        ...flag(own.cleanupOnFail, "--cleanup-on-fail"),
        ...flag(own.force, "--force"),
      ];
    case "uninstall":
      return [
        ...[
          action,
          name,
          ...shared,
          "--ignore-not-found",
          "--cascade",
          own.deletionPropagation ?? "background",
        ],
        ...flag(own.keepHistory, "--keep-history"),
      ];
  }
}

/** Runs the real Helm as a child process, one at a time for each release; remembers the children to stop them. */
export class Helm {
  private readonly running = new Set<ChildProcess>();

  constructor(
    private readonly binary: string,
    private readonly kubeconfig: string,
    private readonly home: string,
  ) {}

  /** Runs Helm; `timeoutMs` is Helm's own, after which it gets a minute more before it is told to stop. */
  run(argv: string[], stdin: string, timeoutMs: number): Promise<HelmResult> {
    return new Promise((resolve) => {
      const child = spawn(this.binary, argv, {
        stdio: ["pipe", "ignore", "pipe"],
        env: {
          PATH: process.env["PATH"],
          KUBECONFIG: this.kubeconfig,
          HELM_CACHE_HOME: this.home,
          HELM_CONFIG_HOME: this.home,
          HELM_DATA_HOME: this.home,
        },
      });
      this.running.add(child);
      let error = "";
      const limit = setTimeout(() => child.kill("SIGTERM"), timeoutMs + graceMs);
      const finish = (result: HelmResult) => {
        clearTimeout(limit);
        this.running.delete(child);
        resolve(result);
      };
      child.stderr.on("data", (chunk: Buffer) => (error = (error + chunk.toString()).slice(-keptErrorBytes)));
      // Helm may end before it reads its values; its exit code tells that story.
      child.stdin.on("error", () => undefined);
      child.stdin.end(stdin);
      child.once("error", (cause) =>
        finish({ ok: false, error: `cannot run Helm at ${this.binary}: ${cause.message}` }),
      );
      child.once("close", (code, signal) =>
        finish(
          code === 0
            ? { ok: true, error: "" }
            : { ok: false, error: helmError(error) || `ended by ${signal ?? code}` },
        ),
      );
    });
  }

  /** Tells running actions to stop; Helm then marks their revisions as failed and exits. */
  interrupt(): void {
    for (const child of this.running) child.kill("SIGTERM");
  }
}

/** Helm's error without warnings before it and without its prefix. */
export function helmError(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => !/^(WARNING|W\d{4} |I\d{4} |level=)/.test(line));
  const start = lines.findIndex((line) => line.startsWith("Error: "));
  return lines
    .slice(Math.max(start, 0))
    .join("\n")
    .replace(/^Error: (INSTALLATION FAILED: |UPGRADE FAILED: )?/, "")
    .trim();
}
