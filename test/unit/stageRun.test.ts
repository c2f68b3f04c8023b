import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BOUND_PLAN } from "../../components/gate/boundPlan";
import { parseStageArguments, type StageArguments } from "../../components/gate/stageArguments";
import { PLANS, runStage, type StageWorld } from "../../components/gate/stageRun";

const WANTED: StageArguments = { stack: "prod", stage: "backup", yes: false, json: false };

/** Pulumi as far as a stage run sees it: the preview writes both files, the update reads them. */
class FakePulumi implements StageWorld {
  readonly folder = mkdtempSync(join(tmpdir(), "stage-"));
  readonly calls: string[][] = [];
  readonly said: string[] = [];
  readonly printed: string[] = [];
  answer: string | undefined = "yes";
  previewCode = 0;
  upCode = 0;
  configStage = "backup";
  gateRan = true;
  seenByUp: boolean[] = [];

  pulumi(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
    this.calls.push([...args]);
    const bound = env[BOUND_PLAN]!;
    const operations = args[args.findIndex((word) => ["--save-plan", "--plan"].includes(word)) + 1]!;
    if (args[0] === "up") {
      this.seenByUp = [existsSync(bound), existsSync(operations)];
      return Promise.resolve(this.upCode);
    }
    if (this.gateRan) {
      const plan = {
        format: 1,
        stack: "prod",
        stage: this.configStage,
        takenAt: "t",
        facts: {},
        report: { a: 1 },
      };
      writeFileSync(bound, JSON.stringify(plan));
    }
    writeFileSync(operations, "{}");
    return Promise.resolve(this.previewCode);
  }

  ask(): Promise<string | undefined> {
    return Promise.resolve(this.answer);
  }

  say(text: string): void {
    this.said.push(text);
  }

  print(line: string): void {
    this.printed.push(line);
  }

  left(): string[] {
    return readdirSync(join(this.folder, PLANS));
  }
}

describe("npm run stage", () => {
  let world: FakePulumi;
  beforeEach(() => (world = new FakePulumi()));
  afterEach(() => {
    // An approval is used once, or over.
    assert.deepEqual(world.left(), []);
    rmSync(world.folder, { recursive: true });
  });

  const verbs = () => world.calls.map((call) => call[0]);

  it("previews with a saved plan, asks, and carries out that plan", async () => {
    assert.equal(await runStage(WANTED, world), 0);
    const [preview, up] = world.calls;
    assert.deepEqual(preview!.slice(0, 3), ["preview", "--stack", "prod"]);
    assert.equal(up!.at(-1), preview!.at(-1));
    assert.ok(up!.includes("--skip-preview") && up!.includes("--plan"));
    assert.deepEqual(world.seenByUp, [true, true]);
  });

  it("does nothing when the answer is not yes, or nobody can answer", async () => {
    for (const answer of ["no", "", "y", "YES", undefined]) {
      world.answer = answer;
      assert.equal(await runStage(WANTED, world), 10);
    }
    assert.ok(!verbs().includes("up"));
    assert.match(world.said.at(-1)!, /nothing was done: nobody can answer/);
  });

  it("does not ask with --yes", async () => {
    world.answer = undefined;
    assert.equal(await runStage({ ...WANTED, yes: true }, world), 0);
    assert.deepEqual(verbs(), ["preview", "up"]);
  });

  it("stops at a gate that blocks, and at a program that never came to it", async () => {
    world.previewCode = 255;
    assert.equal(await runStage({ ...WANTED, yes: true }, world), 10);
    world.gateRan = false;
    assert.equal(await runStage({ ...WANTED, yes: true }, world), 1);
    assert.deepEqual(verbs(), ["preview", "preview"]);
  });

  it("does not take the gate of an earlier preview for this one's (F64)", async () => {
    // A run that was killed leaves its files.
    const stale = { format: 1, stack: "prod", stage: "backup", takenAt: "t", facts: {}, report: {} };
    mkdirSync(join(world.folder, PLANS));
    writeFileSync(join(world.folder, PLANS, "prod-backup.world.json"), JSON.stringify(stale));
    world.gateRan = false;
    assert.equal(await runStage({ ...WANTED, yes: true }, world), 1);
    assert.ok(!verbs().includes("up"));
  });

  it("carries out only the stage that the reviewed config names (F64)", async () => {
    world.configStage = "cutover";
    assert.equal(await runStage({ ...WANTED, yes: true }, world), 10);
    assert.deepEqual(verbs(), ["preview"]);
    assert.match(world.said[0]!, /found stage "cutover" in its config, expected "backup".*pulumi config set/);
  });

  it("says that an update failed", async () => {
    world.upCode = 255;
    assert.equal(await runStage(WANTED, world), 1);
  });

  it("--json prints the gate's report alone, blocked or not, and carries nothing out", async () => {
    assert.equal(await runStage({ ...WANTED, json: true }, world), 0);
    world.previewCode = 255;
    assert.equal(await runStage({ ...WANTED, json: true }, world), 10);
    assert.deepEqual(world.printed, ['{"a":1}', '{"a":1}']);
    assert.deepEqual(verbs(), ["preview", "preview"]);
  });
});

describe("arguments of npm run stage", () => {
  it("are a stack, a stage and known flags", () => {
    assert.deepEqual(parseStageArguments(["prod", "backup"]), WANTED);
    assert.equal(
      parseStageArguments(["--yes", "org/openbao-migration/prod", "land"]).stack,
      "org/openbao-migration/prod",
    );
  });

  it("are refused with the usage otherwise", () => {
    for (const argv of [
      [],
      ["prod"],
      ["prod", "moon"],
      ["prod", "backup", "more"],
      ["prod", "backup", "--force"],
      ["prod", "backup", "--yes", "--json"],
      ["../x", "backup"],
      ["a b", "backup"],
      ["-prod", "backup"],
      ["$(id)", "backup"],
      ["a/../b", "backup"],
    ]) {
      assert.throws(() => parseStageArguments(argv), /npm run stage -- STACK STAGE/, argv.join(" "));
    }
  });
});
