import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../components/projectRoot";
import { CONTROLS } from "./controls";

const PARTS = ["components", "rehearsal", "test", "docs", "index.ts", "config.ts", "program.cjs"];
const SETTINGS = ["package.json", "package-lock.json", "tsconfig.json", "Pulumi.yaml", "README.md"];

/** Without its guard a wait may go on for ever: that is no red test. */
const RUN_MS = 120_000;

interface Ran {
  readonly fullTitle: string;
  readonly err: { readonly code?: string; readonly stack?: string };
}

interface Report {
  readonly passes: readonly Ran[];
  readonly failures: readonly Ran[];
}

/** In hazards.md, under the fault matrix. */
describe("positive controls: the suite turns red once a guard is gone", () => {
  let project: string;
  const green = new Map<string, Report>();

  before(() => {
    project = mkdtempSync(join(tmpdir(), "controls-"));
    for (const part of [...PARTS, ...SETTINGS])
      cpSync(join(PROJECT_ROOT, part), join(project, part), { recursive: true });
    symlinkSync(join(PROJECT_ROOT, "node_modules"), join(project, "node_modules"));
  });
  after(() => rmSync(project, { recursive: true, force: true }));

  it("for each bug that the fault matrix names", () => {
    const upstream = ["#1965", "#1964", "#1982", "#1985", "#1996", "#2028"];
    const others = ["openbao#2466", "vault#12487", "kubernetes#73056", "abort-exit-0", "stale migrate lock"];
    const found = ["zero-byte skip", "OnDelete boot", "DIY lock race", "double init"];
    assert.deepEqual([...new Set(CONTROLS.map(({ bug }) => bug))], [...upstream, ...others, ...found]);
  });

  for (const { bug, says, guard, find, by, test, red } of CONTROLS)
    it(`${bug}: ${says}`, () => {
      const file = join(project, guard);
      const source = readFileSync(file, "utf8");
      assert.equal(source.split(find).length, 2, `the guard is not once in ${guard}`);
      const before = whole(test);
      assert.deepEqual(titles(before.failures), [], `${test} is red with its guards`);
      const guarding = titles(before.passes).filter((title) => red.test(title));
      assert.notDeepEqual(guarding, [], `no test of ${test} has that title`);
      try {
        writeFileSync(
          file,
          source.replace(find, () => by),
        );
        const { failures } = run(test, red.source);
        const seen = failures.filter((one) => guarding.includes(one.fullTitle) && isVerdict(one));
        const others = failures.map(({ fullTitle, err }) => `${fullTitle}: ${err.stack?.split("\n")[0]}`);
        assert.notDeepEqual(seen, [], `not red without its guard; failed: ${others.join("; ") || "nothing"}`);
      } finally {
        writeFileSync(file, source);
      }
    });

  /** The tests of one file that guard something here, with every guard in place. */
  function whole(test: string): Report {
    const all = CONTROLS.filter((one) => one.test === test).map(({ red }) => `(?:${red.source})`);
    const seen = green.get(test) ?? run(test, all.join("|"));
    green.set(test, seen);
    return seen;
  }

  /** @throws Error when the tests did not run: a file that does not even load is no red test. */
  function run(test: string, grep: string): Report {
    const mocha = join(PROJECT_ROOT, "node_modules/mocha/bin/_mocha");
    const load = ["--no-config", "--require", "./test/support/loadTypeScript.cjs"];
    const options = [...load, "--timeout", "60000", "--reporter", "json", "--grep", grep];
    const { stdout, stderr } = spawnSync(process.execPath, [mocha, ...options, test], {
      cwd: project,
      encoding: "utf8",
      timeout: RUN_MS,
      env: { ...process.env, PROPERTY_RUNS: "tenth" },
    });
    try {
      return JSON.parse(stdout.slice(stdout.indexOf("{\n"))) as Report;
    } catch {
      throw new Error(`${test} did not run:\n${stdout.slice(-500)}\n${stderr.slice(-1500)}`);
    }
  }
});

function titles(tests: readonly Ran[]): string[] {
  return tests.map(({ fullTitle }) => fullTitle);
}

/** A test that found something wrong; not one that hung, or that met code which is broken without the guard. */
function isVerdict({ err }: Ran): boolean {
  return err.code !== "ERR_MOCHA_TIMEOUT" && !/\b(Type|Reference|Syntax)Error\b/.test(err.stack ?? "");
}
