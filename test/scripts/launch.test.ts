import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../components/projectRoot";
import { planSteps } from "../../components/steps/plan";

const CACHE = "node_modules/.cache/openbao-raft-migration";
const SCRIPTS = "components/steps/scripts";
const NO_INPUT = /OPENBAO_MIGRATION_STEP is not set/;

describe("launching a step and the program (hazard F66: what runs is what the sources say)", () => {
  let project: string;

  // A project of its own: its sources are changed, and what is made of them lies in it.
  before(() => {
    project = mkdtempSync(join(tmpdir(), "launch-"));
    const parts = ["components", "config.ts", "index.ts", "program.cjs"];
    for (const name of [...parts, "Pulumi.yaml", "package.json", "package-lock.json"]) {
      cpSync(join(PROJECT_ROOT, name), join(project, name), { recursive: true });
    }
    mkdirSync(join(project, CACHE), { recursive: true });
    cpSync(join(PROJECT_ROOT, CACHE), join(project, CACHE), {
      recursive: true,
      filter: (path) => !/(steps|program)-/.test(path),
    });
    for (const name of readdirSync(join(PROJECT_ROOT, "node_modules"))) {
      if (name !== ".cache")
        symlinkSync(join(PROJECT_ROOT, "node_modules", name), join(project, "node_modules", name));
    }
  });
  after(() => rmSync(project, { recursive: true, force: true }));

  function launch(script: string) {
    return node("components/steps/launch.mjs", `${SCRIPTS}/${script}`);
  }

  function node(...args: string[]) {
    const env = { PATH: process.env["PATH"] };
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: project,
      env,
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  }

  it("runs the step of that name, from one file that was made of the sources", () => {
    for (const script of ["roll.ts", "flip.ts"]) {
      const { status, stdout, stderr } = launch(script);
      assert.equal(status, 1);
      assert.equal((JSON.parse(stdout) as { step: string }).step, script.replace(".ts", ""));
      assert.match(stdout, NO_INPUT);
      assert.equal(stderr, "");
    }
    assert.equal(bundles().length, 1);
  });

  it("loads the program from one file, which Pulumi then calls", () => {
    const { stdout, stderr } = node("--print", 'typeof require("./program.cjs")');
    assert.equal(stdout, "function\n");
    assert.equal(stderr, "");
    assert.equal(bundles("program").length, 1);
  });

  it("has a step for each of the plan's scripts", () => {
    const text = readFileSync(bundles()[0]!, "utf8");
    for (const { script } of planSteps("openbao", 3))
      assert.match(text, new RegExp(`"${script}\\.ts": \\(\\) =>`), script);
  });

  it("makes the file anew when a source has changed, and keeps no old one", () => {
    const [old] = bundles();
    const input = join(project, "components/steps/stepInput.ts");
    writeFileSync(input, readFileSync(input, "utf8").replace("is not set;", "is missing in this test;"));
    assert.match(launch("flip.ts").stdout, /is missing in this test/);
    assert.equal(bundles().length, 1);
    assert.notEqual(bundles()[0], old);
  });

  it("runs the sources where the file cannot be made, and says so", () => {
    for (const path of [...bundles(), ...bundles("program")]) rmSync(path);
    rmSync(join(project, "node_modules/esbuild"));
    const { status, stdout, stderr } = launch("flip.ts");
    assert.equal(status, 1);
    assert.match(stdout, /is missing in this test/);
    assert.match(stderr, /^the step runs from its sources, which is slower: /);
    writeFileSync(join(project, "index.ts"), 'export = "from its sources" satisfies string;');
    const program = node("--print", 'require("./program.cjs")');
    assert.equal(program.stdout, "from its sources\n");
    assert.match(program.stderr, /^the program runs from its sources, which is slower: /);
  });

  it("fails for a step that there is not, instead of ending well with nothing done (finding 0.1)", () => {
    const { status, stderr } = launch("nothing.ts");
    assert.equal(status, 1);
    assert.match(stderr, /is no step's script/);
  });

  function bundles(of = "steps"): string[] {
    const names = readdirSync(join(project, CACHE)).filter((name) => name.startsWith(`${of}-`));
    return names.map((name) => join(project, CACHE, name));
  }
});
