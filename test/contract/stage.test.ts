import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { PROJECT } from "../../config";
import type { Evidence } from "../../components/evidence/evidence";
import { BOUND_PLAN } from "../../components/gate/boundPlan";
import { planPartsOf } from "../../components/gate/planParts";
import { pulumiEnv } from "../../rehearsal/tools/tools";
import { evidence } from "../support/evidenceBuilder";
import { configOf, standaloneWorld } from "../support/snapshotBuilder";

const CHECKOUT = resolve(__dirname, "../..");
const DEV = `organization/${PROJECT}/dev`;

/** Two stacks of one project on a backend of its own; the cluster is in memory, Pulumi is real. */
class TwoStacks {
  readonly dir = mkdtempSync(join(tmpdir(), "stage-contract-"));
  private readonly env: NodeJS.ProcessEnv;

  constructor() {
    // The project's own settings; only the program is another one.
    for (const part of ["Pulumi.yaml", "package.json", "tsconfig.json", "node_modules"]) {
      symlinkSync(join(CHECKOUT, part), join(this.dir, part));
    }
    symlinkSync(join(CHECKOUT, "test/contract/stageProgram.ts"), join(this.dir, "index.ts"));
    this.write("program.cjs", 'require("tsx/cjs");\nmodule.exports = require("./index.ts");\n');
    mkdirSync(join(this.dir, "state"));
    this.env = {
      ...process.env,
      ...pulumiEnv(),
      PULUMI_BACKEND_URL: `file://${join(this.dir, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "contract",
      NODE_OPTIONS: "",
    };
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.dir, name), text);
  }

  configure(values: Readonly<Record<string, unknown>>): void {
    const config = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [`${PROJECT}:${key}`, value]),
    );
    this.write("Pulumi.prod.yaml", stringify({ config }));
  }

  /** Stack dev exports this evidence. */
  async rehearse(value: Evidence): Promise<void> {
    this.write("evidence.json", JSON.stringify(value));
    const run = await this.pulumi(["up", "--stack", "dev", "--yes", "--skip-preview"]);
    assert.equal(run.code, 0, run.text);
  }

  pulumi(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
    return this.start("pulumi", [...args, "--non-interactive", "--color", "never"], more);
  }

  /** `npm run stage -- …`, with nobody at a terminal. */
  stage(...args: string[]) {
    return this.start(process.execPath, [
      "--import",
      "tsx",
      join(CHECKOUT, "components/gate/stageCli.ts"),
      ...args,
    ]);
  }

  private start(file: string, args: readonly string[], more: Readonly<Record<string, string>> = {}) {
    const env = { ...this.env, ...more };
    const child = spawn(file, args, { cwd: this.dir, env, stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    return new Promise<{ code: number | null; stdout: string; text: string }>((done, fail) => {
      child.once("error", fail);
      child.once("close", (code) => done({ code, stdout, text: stdout + stderr }));
    });
  }
}

describe("evidence and bound plans with the real Pulumi (hazard F64)", () => {
  let stacks: TwoStacks;
  let good: Evidence;

  before(async () => {
    stacks = new TwoStacks();
    for (const name of ["dev", "prod"]) {
      const made = await stacks.pulumi(["stack", "init", name]);
      assert.equal(made.code, 0, made.text);
    }
    const config = configOf();
    const plan = planPartsOf(await standaloneWorld().snapshot(config), config);
    good = evidence(new Date().toISOString(), plan, ["network"]);
    await stacks.rehearse(good);
  });
  after(() => rmSync(stacks.dir, { recursive: true, force: true }));
  beforeEach(() => stacks.configure({ stage: "network", rehearsal: { stack: DEV } }));

  const preview = () => stacks.pulumi(["preview", "--stack", "prod"]);

  it("preview takes the other stack's evidence, and shows it", async () => {
    const run = await preview();
    assert.equal(run.code, 0, run.text);
    assert.match(run.text, /PASS +rehearsal-evidence +every +run run-a of stack organization\/.*: network/);
  });

  it("a stack that is not there, and faults of the config, are shown together", async () => {
    stacks.configure({ stage: "network", replicas: 4, rehearsal: { stack: `organization/${PROJECT}/gone` } });
    const run = await preview();
    assert.notEqual(run.code, 0);
    assert.match(run.text, /FAIL openbao-migration:replicas: found 4/);
    assert.match(run.text, /FAIL rehearsal-evidence: found its outputs cannot be read: .*unknown stack/);
  });

  it("a stage beyond the rehearsal, and no rehearsal, are refused", async () => {
    stacks.configure({ stage: "backup", rehearsal: { stack: DEV } });
    assert.match((await preview()).text, /FAIL rehearsal-evidence: found stage backup was not passed/);
    stacks.configure({ stage: "network" });
    assert.match((await preview()).text, /FAIL rehearsal-evidence: found no rehearsal is named/);
  });

  it("evidence under another run's id is refused", async () => {
    await stacks.rehearse({ ...good, runId: "run-b" });
    assert.match(
      (await preview()).text,
      /FAIL rehearsal-evidence: found stage network: the entry is not of run run-b/,
    );
    await stacks.rehearse(good);
  });

  it("npm run stage -- --json prints the gate's report alone", async () => {
    const run = await stacks.stage("prod", "network", "--json");
    assert.equal(run.code, 0, run.text);
    const report = JSON.parse(run.stdout) as { blocked: boolean; stage: string };
    assert.deepEqual([report.blocked, report.stage], [false, "network"]);
  });

  it("an update in a world that moved since its preview is refused, with the difference", async () => {
    const bound = { [BOUND_PLAN]: join(stacks.dir, "bound.json") };
    const plan = join(stacks.dir, "plan.json");
    const seen = await stacks.pulumi(["preview", "--stack", "prod", "--save-plan", plan], bound);
    assert.equal(seen.code, 0, seen.text);
    stacks.write("moved", "");
    const up = ["up", "--stack", "prod", "--yes", "--skip-preview", "--plan", plan];
    const run = await stacks.pulumi(up, bound);
    rmSync(join(stacks.dir, "moved"));
    assert.notEqual(run.code, 0);
    assert.match(
      run.text,
      /FAIL moved since the preview: key Secret: found version .*Expected version .* as previewed at/,
    );
    assert.doesNotMatch(run.text, /local:Command act created/);
  });

  it("npm run stage asks, and without an answer does nothing; with --yes it carries the plan out", async () => {
    const asked = await stacks.stage("prod", "network");
    assert.deepEqual([asked.code, /nobody can answer/.test(asked.text)], [10, true], asked.text);
    const run = await stacks.stage("prod", "network", "--yes");
    assert.equal(run.code, 0, run.text);
    assert.match(run.text, /act created/);
    assert.deepEqual(readdirSync(join(stacks.dir, ".pulumi-plans")), []);
  });
});
