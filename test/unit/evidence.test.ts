import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JournalEntry } from "../../components/cluster/journal";
import { evidenceOf, parseEvidence, type Evidence } from "../../components/evidence/evidence";
import { planDifferences, planDigest } from "../../components/evidence/planDigest";
import { digestOfProgram, programDigest } from "../../components/evidence/programDigest";
import { notPassed } from "../../components/evidence/stagePassed";
import { evidence, journalRun, PLAN, RUN } from "../support/evidenceBuilder";

const AT = "2026-11-24T08:30:00.000Z";
const faultOf = (value: unknown): string => {
  const parsed = parseEvidence(value);
  return "fault" in parsed ? parsed.fault : "none";
};

describe("evidence of a run", () => {
  it("is what the journal says, stage by stage", () => {
    assert.deepEqual(evidenceOf(journalRun(evidence(AT))), evidence(AT));
    assert.equal(faultOf(evidence(AT)), "none");
  });

  it("survives the JSON of a stack output", () => {
    assert.equal(faultOf(JSON.parse(JSON.stringify(evidence(AT)))), "none");
  });

  it("leaves out what a restored or copied journal brings from another run (F64)", () => {
    assert.deepEqual(evidenceOf(journalRun(evidence(AT), "run-b")).stages, {});
  });

  it("leaves out entries that are older than the journal itself (F64)", () => {
    assert.deepEqual(evidenceOf(journalRun(evidence("2026-11-24T07:00:00.000Z"))).stages, {});
  });

  it("leaves out an entry whose plan was changed afterwards (F64)", () => {
    const of = evidence(AT);
    const changed: Evidence = {
      ...of,
      stages: { ...of.stages, verify: { ...of.stages.verify!, plan: { ...PLAN, chart: "openbao 9.9.9" } } },
    };
    const { verify, cutover } = evidenceOf(journalRun(changed)).stages;
    assert.equal(verify, undefined);
    assert.notEqual(cutover, undefined);
  });

  it("takes a stage's first own entry, whatever other runs' entries lie before it", () => {
    const own = journalRun(evidence(AT));
    const foreign = journalRun(evidence(AT, PLAN, undefined, "run-b"));
    const mixed = { ...own, entries: [...foreign.entries, ...own.entries] };
    assert.deepEqual(evidenceOf(mixed), evidence(AT));
  });
});

describe("evidence of another stack", () => {
  it("is refused when it is absent or of another form", () => {
    assert.match(faultOf(undefined), /exports no evidence/);
    for (const value of ["yes", 1, [], {}, { format: 2 }, { ...evidence(AT), extra: 1 }]) {
      assert.match(faultOf(value), /another form/);
    }
  });

  it("is refused with a stage of another run among its own (F64)", () => {
    const a = evidence(AT);
    const b = evidence(AT, PLAN, undefined, "run-b");
    const mixed = { ...a, stages: { ...a.stages, cutover: b.stages.cutover } };
    assert.match(faultOf(mixed), /^stage cutover: the entry is not of run run-a/);
  });

  it("is refused under another run's id (F64)", () => {
    assert.match(faultOf({ ...evidence(AT), runId: "run-b" }), /not of run run-b/);
  });

  it("is refused with another time, plan or digest than was bound (F64)", () => {
    const of = evidence(AT);
    const verify = of.stages.verify!;
    const plan = { ...PLAN, openbao: "2.6.2" };
    for (const changed of [
      { ...verify, passedAt: "2026-11-24T09:30:00.000Z" },
      { ...verify, plan },
      { ...verify, plan, planDigest: planDigest(plan) },
    ]) {
      assert.match(faultOf({ ...of, stages: { ...of.stages, verify: changed } }), /^stage verify: /);
    }
  });

  it("is refused with a stage taken out of the middle (F64)", () => {
    const of = evidence(AT);
    const { backup: _backup, ...stages } = of.stages;
    assert.match(faultOf({ ...of, stages }), /^stage cutover: /);
  });
});

describe("plan digest", () => {
  it("does not depend on the order of the parts, and on each part", () => {
    assert.equal(
      planDigest(Object.fromEntries(Object.entries(PLAN).reverse()) as typeof PLAN),
      planDigest(PLAN),
    );
    for (const part of Object.keys(PLAN))
      assert.notEqual(planDigest({ ...PLAN, [part]: "x" }), planDigest(PLAN));
  });

  it("names each part that differs, with both values", () => {
    assert.deepEqual(planDifferences(PLAN, { ...PLAN, chart: "openbao 0.30.0", replicas: "5" }), [
      "replicas: rehearsed 3, here 5",
      "chart: rehearsed openbao 0.29.2, here openbao 0.30.0",
    ]);
  });

  it("holds the program: one changed byte in a script, file name or pinned package changes it (F66)", () => {
    const root = mkdtempSync(join(tmpdir(), "program-"));
    const put = (name: string, text: string) => writeFileSync(join(root, name), text);
    try {
      mkdirSync(join(root, "components/steps"), { recursive: true });
      put("program.cjs", "0");
      put("index.ts", "1");
      put("config.ts", "2");
      put("components/steps/a.sh", "3");
      put("package.json", '{"version":"0.1.0","dependencies":{"zod":"4.6.7"},"scripts":{}}');
      const before = digestOfProgram(root);
      put("README.md", "documents are no part");
      put("package.json", '{"version":"0.1.0","dependencies":{"zod":"4.6.7"},"scripts":{"x":"y"}}');
      assert.equal(digestOfProgram(root), before);
      put("components/steps/a.sh", "4");
      const script = digestOfProgram(root);
      put("components/steps/b.ts", "");
      const file = digestOfProgram(root);
      put("package.json", '{"version":"0.1.0","dependencies":{"zod":"4.6.8"}}');
      assert.equal(new Set([before, script, file, digestOfProgram(root)]).size, 4);
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it("of this checkout is a SHA-256", () => assert.match(programDigest(), /^[0-9a-f]{64}$/));
});

describe("a stage is passed", () => {
  const entry = (step: string, beat: JournalEntry["beat"], program = "p1"): JournalEntry => ({
    time: AT,
    holder: RUN,
    step,
    beat,
    program,
    observed: {},
  });
  const whole = ["a", "b"].flatMap((step) => [entry(step, "act"), entry(step, "done")]);

  it("when each step acted and was done", () => assert.equal(notPassed(whole, ["a", "b"], "p1"), undefined));

  it("not without one of its steps", () => {
    assert.equal(notPassed(whole, ["a", "b", "c"], "p1"), "step c was not done in this run");
    assert.equal(notPassed([], ["a"], "p1"), "step a was not done in this run");
  });

  it("not by another version of the program (F66)", () => {
    assert.match(notPassed(whole, ["a", "b"], "p2") ?? "", /^step a was not done by this version/);
    const late = [...whole.slice(0, 3), entry("b", "done", "p2")];
    assert.match(notPassed(late, ["a", "b"], "p1") ?? "", /^step b was not done by this version/);
  });

  it("when a killed run's act had done a step's work, or the next one's", () => {
    const killed = [entry("a", "act"), entry("a", "found"), entry("b", "found")];
    assert.equal(notPassed(killed, ["a", "b"], "p1"), undefined);
  });

  it("not when its steps only found their work done: somebody else moved this cluster (F5)", () => {
    const found = ["a", "b", "c"].map((step) => entry(step, "found"));
    assert.match(notPassed(found, ["a", "b", "c"], "p1") ?? "", /^step a found its work done, and nothing/);
    const first = [entry("a", "act"), entry("a", "done"), ...found.slice(1)];
    assert.match(notPassed(first, ["a", "b", "c"], "p1") ?? "", /^step c found its work done/);
  });
});
