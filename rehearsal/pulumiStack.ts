import { spawn, type ChildProcess } from "node:child_process";
import {
  copyFileSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { PROJECT, type Stage } from "../config";
import { backendEnv, stackIsThere, stackNames } from "./backend";
import { runsAreEnding, trackRun } from "./pulumiRuns";
import { pulumiEnv, toolPath } from "./tools/tools";

const CHECKOUT = resolve(__dirname, "..");
/** What the Pulumi program consists of; linked, so that the run's own config never dirties the checkout. */
const PROGRAM = [
  "program.cjs",
  "index.ts",
  "config.ts",
  "components",
  "node_modules",
  "package.json",
  "tsconfig.json",
  "Pulumi.yaml",
];

export interface StackOptions {
  /** Folder for the workspace, the state and the logs of this run. */
  readonly runDir: string;
  readonly kubeconfig: string;
  /** Context of the kubeconfig. @default its current one */
  readonly context?: string;
  /** Name of the stack. @default "dev" */
  readonly stack?: string;
  /** URL of a Pulumi backend of the user's own. @default a folder of this run */
  readonly backend?: string;
  /** Values of the stack's config, over those of Pulumi.dev.yaml. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly log: (line: string) => void;
}

export interface PulumiRun {
  readonly code: number;
  readonly seconds: number;
  readonly output: string;
}

/** One stack, `dev` unless named, of this checkout in a workspace of its own. */
export class PulumiStack {
  /** Folder of the Pulumi project. */
  readonly workspace: string;
  /** What pulumi needs to find this run's backend and plugins. */
  readonly env: NodeJS.ProcessEnv;
  private readonly name: string;

  constructor(private readonly options: StackOptions) {
    const { runDir, kubeconfig, stack = "dev", backend } = options;
    this.name = stack;
    this.workspace = join(runDir, "workspace");
    mkdirSync(this.workspace, { recursive: true, mode: 0o700 });
    for (const part of PROGRAM) {
      const link = join(this.workspace, part);
      if (!existsSync(link)) symlinkSync(join(CHECKOUT, part), link);
    }
    this.env = {
      ...process.env,
      ...pulumiEnv(),
      KUBECONFIG: kubeconfig,
      ...backendEnv(runDir, backend),
    };
  }

  /** @throws Error when the user's backend cannot be read, or has a stack of this name: nothing of it is touched. */
  async refuseExisting(): Promise<void> {
    const { backend = "this run's folder", log } = this.options;
    const run = await this.must(["stack", "ls", "--json", "--non-interactive"]);
    if (stackNames(run.output).includes(this.name)) throw new Error(stackIsThere(this.name, backend));
    log(
      `stack ${this.name} is kept in ${backend}; a stack there reads its evidence with rehearsal.stack: organization/${PROJECT}/${this.name}`,
    );
  }

  /** Makes the stack when it is not there, and writes its config for `stage`, with `more` values. */
  async select(stage: Stage, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    if (!existsSync(this.configFile)) {
      await this.must(["stack", "init", this.name, "--secrets-provider", "passphrase"]);
    }
    const own = existsSync(this.configFile) ? (parse(readFileSync(this.configFile, "utf8")) as object) : {};
    const shipped = parse(readFileSync(join(CHECKOUT, "Pulumi.dev.yaml"), "utf8")) as { config?: object };
    const { context, config } = this.options;
    const values = { ...config, ...(context !== undefined && { context }), ...more, stage };
    const named = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [`${PROJECT}:${key}`, value]),
    );
    writeFileSync(this.configFile, stringify({ ...own, config: { ...shipped.config, ...named } }), {
      mode: 0o600,
    });
  }

  preview(...args: string[]): Promise<PulumiRun> {
    return this.run([
      "preview",
      "--stack",
      this.name,
      "--diff",
      "--non-interactive",
      "--color",
      "never",
      ...args,
    ]).done;
  }

  up(...args: string[]): Promise<PulumiRun> {
    return this.run([...this.upArgs, ...args]).done;
  }

  /**
   * `pulumi up` at the highest verbosity, with each message between its parts in the file `messages`. Output and
   * messages are for the leak scan: they say far too much for a person.
   */
  upVerbose(messages: string): Promise<PulumiRun> {
    const loud = ["--debug", "--logflow", "--logtostderr", "--verbose=9"];
    return this.run([...this.upArgs, ...loud], { PULUMI_DEBUG_GRPC: messages }).done;
  }

  /** `pulumi up` as a process that a test can kill, with `env` beside this process's own environment. */
  startUp(env: NodeJS.ProcessEnv = {}): { child: ChildProcess; done: Promise<PulumiRun> } {
    return this.run(this.upArgs, env);
  }

  /** The stack's outputs. @throws Error when pulumi cannot read them */
  async outputs(): Promise<Readonly<Record<string, unknown>>> {
    const run = await this.run(["stack", "output", "--json", "--stack", this.name, "--non-interactive"]).done;
    if (run.code !== 0) throw new Error(`pulumi stack output ended with ${run.code}`);
    // A warning of the CLI may stand before it.
    return JSON.parse(run.output.slice(run.output.indexOf("{"))) as Record<string, unknown>;
  }

  /** Drops the lock that a killed run left in the file backend. */
  async cancel(): Promise<void> {
    await this.run(["cancel", this.name, "--yes", "--non-interactive"]).done;
  }

  /** The backend without this stack, as after a lost disk; made anew, empty, under its name. */
  async loseState(): Promise<void> {
    rmSync(join(this.options.runDir, "state", ".pulumi"), { recursive: true, force: true });
    await this.must(["stack", "init", this.name, "--secrets-provider", "passphrase"]);
  }

  /** The checkpoint before the newest takes its place, as from an old backup. */
  takeOldState(): void {
    const file = join(this.options.runDir, "state", ".pulumi", "stacks", PROJECT, `${this.name}.json`);
    if (existsSync(`${file}.bak`)) copyFileSync(`${file}.bak`, file);
  }

  private get upArgs(): string[] {
    return ["up", "--stack", this.name, "--yes", "--skip-preview", "--non-interactive", "--color", "never"];
  }

  private get configFile(): string {
    return join(this.workspace, `Pulumi.${this.name}.yaml`);
  }

  private async must(args: string[]): Promise<PulumiRun> {
    const run = await this.run(args).done;
    if (run.code === 0) return run;
    throw new Error(`pulumi ${args[0]} ${args[1]} ended with ${run.code}: ${run.output.slice(-2000)}`);
  }

  private run(
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): { child: ChildProcess; done: Promise<PulumiRun> } {
    const started = Date.now();
    const log = join(this.options.runDir, "pulumi.log");
    // Opened at once: a stream that opens it later may do so when the folder is being removed.
    const logFile = createWriteStream(log, { fd: openSync(log, "a", 0o600) });
    logFile.write(`\n$ pulumi ${args.join(" ")}\n`);
    const child = spawn(toolPath("pulumi"), args, {
      cwd: this.workspace,
      env: { ...this.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    trackRun(child);
    let output = "";
    const take = (chunk: Buffer) => {
      output += chunk.toString("utf8");
      logFile.write(chunk);
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    const done = new Promise<PulumiRun>((resolveRun, reject) => {
      child.on("error", reject);
      child.on("close", (code) => {
        logFile.end();
        // The process exits soon: nothing may go on meanwhile, a removal of the cluster least of all.
        if (runsAreEnding()) return;
        resolveRun({ code: code ?? -1, seconds: (Date.now() - started) / 1000, output });
      });
    });
    return { child, done };
  }
}
