import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { parseConfig, type Stage } from "../../config";
import { parseEvidence, type Evidence } from "../../components/evidence/evidence";
import { worldFacts } from "../../components/gate/worldFacts";
import { runGate } from "../../components/gate/gate";
import { formatReport } from "../../components/gate/report";
import { parseStageArguments } from "../../components/gate/stageArguments";
import { readStepInput, STEP_INPUT, stepInput } from "../../components/steps/stepInput";
import { propertyRuns } from "../support/propertyRuns";
import { evidence } from "../support/evidenceBuilder";
import { codePoint, HOSTILE_TEXTS, hostileValue, mutated } from "../support/hostileValues";
import { configOf, SECRET, standaloneWorld } from "../support/snapshotBuilder";

const AT = "2026-11-24T08:30:00.000Z";
const PROJECT = join(__dirname, "../..");

describe("hostile evidence", () => {
  it("of any form is refused in a short line, never with a crash (F63)", () => {
    fc.assert(
      fc.property(hostileValue, (value) => {
        const parsed = parseEvidence(value);
        assert.ok("fault" in parsed && parsed.fault.length < 500);
      }),
      propertyRuns(10_000),
    );
  }).timeout(60_000);

  it("with any one part changed is refused: nothing of it is unbound (F64)", () => {
    const whole = evidence(AT);
    const text = JSON.stringify(whole);
    let changed = 0;
    fc.assert(
      fc.property(
        fc.nat({ max: 110 }),
        fc.constantFrom(...HOSTILE_TEXTS, null, 1, {}, []),
        (place, value) => {
          let turn = 0;
          const other = mutated(whole, () => (turn++ === place + 1 ? { value } : undefined));
          if (JSON.stringify(other) === text) return;
          changed++;
          const parsed = parseEvidence(other);
          // Stages that are not claimed prove nothing; those that are must be the true ones.
          const claimed = "evidence" in parsed ? Object.entries(parsed.evidence.stages) : [];
          for (const [stage, one] of claimed) assert.deepEqual(one, whole.stages[stage as Stage]);
          if (claimed.length > 0)
            assert.equal((parsed as { evidence: Evidence }).evidence.runId, whole.runId);
        },
      ),
      propertyRuns(2_000),
    );
    assert.ok(changed > propertyRuns(1000).numRuns, `${changed} changed`);
  }).timeout(60_000);
});

describe("hostile config values", () => {
  const text = fc.oneof(
    fc.constantFrom(...HOSTILE_TEXTS.filter((one) => one !== "" && one.length < 400)),
    fc.string({ unit: codePoint, minLength: 1, maxLength: 60 }),
  );

  it("reach a step whole and as data: what went in comes out (F62)", () => {
    let accepted = 0;
    fc.assert(
      fc.property(text, text, text, text, (context, checkout, helmRelease, volatile) => {
        const git = { checkout, helmRelease };
        for (const values of [
          { context, inventory: { volatile: [volatile] } },
          { context, git },
        ]) {
          const result = parseConfig({ stage: "network", ...values });
          if (!result.ok) continue;
          accepted++;
          const input = stepInput("stop", result.config, "land");
          const environment = JSON.stringify(input);
          // An environment variable cannot hold NUL, and a line break could end a line of a log.
          assert.doesNotMatch(environment, /[\u0000-\u001f]/);
          assert.deepEqual(readStepInput({ [STEP_INPUT]: environment }), input);
        }
      }),
      propertyRuns(5_000),
    );
    assert.ok(accepted > propertyRuns(2500).numRuns, `${accepted} accepted`);
  }).timeout(60_000);

  it("are no stage, stack or flag of npm run stage (F62)", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(text, fc.constantFrom("prod", "backup", "--yes")), { maxLength: 4 }),
        (argv) => {
          let parsed;
          try {
            parsed = parseStageArguments(argv);
          } catch (error) {
            assert.match((error as Error).message, /npm run stage/);
            return;
          }
          assert.match(parsed.stack, /^[\w.][-\w./]*$/);
          assert.ok(!parsed.stack.split("/").some((part) => part.startsWith(".") || part.startsWith("-")));
        },
      ),
      propertyRuns(10_000),
    );
  }).timeout(60_000);

  it("meet no shell: processes are started from argv arrays, and nothing is put into a shell's text (F62)", () => {
    const files = readdirSync(join(PROJECT, "components"), { recursive: true, encoding: "utf8" });
    const code = files.filter((file) => file.endsWith(".ts"));
    assert.ok(code.length > 100);
    for (const file of code) {
      const source = readFileSync(join(PROJECT, "components", file), "utf8");
      assert.doesNotMatch(source, /shell:\s*true|\bexecSync\(|(?<![.\w])exec\(/, file);
      assert.doesNotMatch(source, /"(?:ba)?sh",\s*"-\w*c",\s*`/, file);
    }
  });
});

describe("answers of 1 MB", () => {
  it("leave a small snapshot, report and facts behind: memory is bounded (F63)", async () => {
    const big = "x".repeat(1_000_000);
    const world = standaloneWorld();
    const { access, kube } = world;
    const real = kube.get.bind(kube);
    kube.get = async (path, query) => {
      const answer = await real(path, query);
      if (path === SECRET) return answer as never;
      let turn = 0;
      return mutated(answer, () => undefinedUnless(turn++ % 9 === 8, big)) as never;
    };
    const gate = await runGate({ ok: true, config: configOf() }, access);
    assert.ok(JSON.stringify(gate.snapshot).length < 2_000_000, `${JSON.stringify(gate.snapshot).length}`);
    assert.ok(formatReport(gate.report).length < 200_000);
    assert.ok(JSON.stringify(worldFacts(gate)).length < 200_000);
  }).timeout(60_000);
});

function undefinedUnless(condition: boolean, value: unknown): { readonly value: unknown } | undefined {
  return condition ? { value } : undefined;
}
