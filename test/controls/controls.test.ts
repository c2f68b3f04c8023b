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

interface Seen {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
}

/** In hazards.md, under the fault matrix. */
describe("positive controls: the suite turns red once a guard is gone", () => {
  let project: string;
  const green = new Map<string, Seen>();

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
      const whole = green.get(test) ?? run(test);
      green.set(test, whole);
      assert.deepEqual(whole.failed, [], `${test} is red with its guards`);
      assert.ok(
        whole.passed.some((title) => red.test(title)),
        `no test of ${test} has that title`,
      );
      try {
        writeFileSync(
          file,
          source.replace(find, () => by),
        );
        const { failed } = run(test);
        assert.ok(
          failed.some((title) => red.test(title)),
          `not red without its guard; failed: ${failed.join("; ") || "nothing"}`,
        );
      } finally {
        writeFileSync(file, source);
      }
    });

  function run(test: string): Seen {
    const mocha = join(PROJECT_ROOT, "node_modules/mocha/bin/_mocha");
    const args = ["--import", "tsx", mocha, "--no-config", "--timeout", "60000", "--reporter", "json", test];
    const { stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: project,
      encoding: "utf8",
      timeout: RUN_MS,
      env: { ...process.env, PROPERTY_RUNS: "tenth" },
    });
    try {
      const report = JSON.parse(stdout.slice(stdout.indexOf("{\n"))) as Record<
        "passes" | "failures",
        { fullTitle: string }[]
      >;
      const titles = (of: "passes" | "failures") => report[of].map(({ fullTitle }) => fullTitle);
      return { passed: titles("passes"), failed: titles("failures") };
    } catch {
      // A file that does not even load is no red test.
      throw new Error(`${test} did not run:\n${stdout.slice(-500)}\n${stderr.slice(-1500)}`);
    }
  }
});
