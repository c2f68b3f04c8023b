import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pulumiEnv, toolPath } from "../../rehearsal/tools/tools";

/** What a pulumi run gave. */
export interface PulumiRun {
  readonly code: number | null;
  /** Both streams. */
  readonly text: string;
}

/** A resource as `pulumi stack export` shows it. */
export interface StateResource {
  readonly type: string;
  readonly urn: string;
  readonly id?: string;
  readonly inputs?: Record<string, unknown>;
  readonly outputs?: Record<string, unknown>;
}

// Reads its one resource from a file, so that a test changes the program by writing data.
const PROGRAM = `
const pulumi = require("@pulumi/pulumi");
const { local } = require("@pulumi/command");
const { args, secretArgs, options } = require("./probe.json");
const secrets = Object.entries(secretArgs).map(([key, value]) => [key, pulumi.secret(value)]);
new local.Command("probe", { ...args, ...Object.fromEntries(secrets) }, options);
`;

/** A throw-away Pulumi project with one local.Command named "probe", and a state folder of its own. */
export class PulumiProject {
  readonly dir = mkdtempSync(join(tmpdir(), "command-contract-"));
  private readonly env: NodeJS.ProcessEnv;

  constructor() {
    const settings =
      "name: contract\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nmain: index.js\n";
    writeFileSync(join(this.dir, "Pulumi.yaml"), settings);
    writeFileSync(join(this.dir, "package.json"), JSON.stringify({ name: "contract", main: "index.js" }));
    writeFileSync(join(this.dir, "index.js"), PROGRAM);
    symlinkSync(resolve(__dirname, "..", "..", "node_modules"), join(this.dir, "node_modules"));
    mkdirSync(join(this.dir, "state"));
    this.env = {
      ...process.env,
      ...pulumiEnv(),
      PULUMI_BACKEND_URL: `file://${join(this.dir, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "contract",
      NODE_OPTIONS: "",
    };
  }

  /** Sets the arguments of the probe; `secretArgs` are wrapped by pulumi.secret. */
  write(args: object, secretArgs: object = {}, options: object = {}): void {
    writeFileSync(join(this.dir, "probe.json"), JSON.stringify({ args, secretArgs, options }));
  }

  async init(): Promise<void> {
    const run = await this.pulumi("stack", "init", "contract");
    if (run.code !== 0) throw new Error(`pulumi stack init failed:\n${run.text}`);
  }

  preview(): Promise<PulumiRun> {
    return this.pulumi("preview", "--stack", "contract", "--diff");
  }

  up(): Promise<PulumiRun> {
    return this.pulumi("up", "--stack", "contract", "--yes", "--skip-preview");
  }

  destroy(): Promise<PulumiRun> {
    return this.pulumi("destroy", "--stack", "contract", "--yes", "--skip-preview");
  }

  /** Starts an update without waiting for it, for tests that interrupt it. */
  startUp(): { child: ChildProcess; finished: Promise<PulumiRun> } {
    return this.start(["up", "--stack", "contract", "--yes", "--skip-preview"]);
  }

  /** The probe in state, or undefined; and the whole state as text. */
  async state(): Promise<{ probe: StateResource | undefined; text: string }> {
    const file = join(this.dir, "export.json");
    const run = await this.pulumi("stack", "export", "--stack", "contract", "--file", file);
    if (run.code !== 0) throw new Error(`pulumi stack export failed:\n${run.text}`);
    const text = readFileSync(file, "utf8");
    const { deployment } = JSON.parse(text) as { deployment: { resources?: StateResource[] } };
    const probe = deployment.resources?.find((resource) => resource.type === "command:local:Command");
    return { probe, text };
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  private pulumi(...args: string[]): Promise<PulumiRun> {
    return this.start(args).finished;
  }

  private start(args: readonly string[]): { child: ChildProcess; finished: Promise<PulumiRun> } {
    const child = spawn(toolPath("pulumi"), [...args, "--non-interactive", "--color", "never"], {
      cwd: this.dir,
      env: this.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
    const finished = new Promise<PulumiRun>((done, fail) => {
      child.once("error", fail);
      child.once("close", (code) => done({ code, text }));
    });
    return { child, finished };
  }
}
