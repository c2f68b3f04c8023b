import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { runBeats, type Step } from "../../components/steps/runStep";
import { carry } from "../../components/steps/scripts/carry";
import { fileCopy } from "../../components/steps/scripts/fileCopy";
import { setAside } from "../../components/steps/scripts/setAside";
import { COPYING_BAO, JobScript, toolsOf } from "../support/jobScript";
import { jobsEnd } from "../support/jobsEnd";
import { StepWorld } from "../support/stepContext";

type Name = ConstructorParameters<typeof JobScript>[0];
const KEEP = ".openbao-raft-migration";
const SCRIPTS: readonly [script: Name, code: number, files?: Record<string, string>][] = [
  ["fileCopy.sh", 29],
  ["carry.sh", 29],
  ["keyProof.sh", 29, { offset: "0" }],
  ["setAside.sh", 29, { aside: "t1", role: "first" }],
  ["setOldRaftAside.sh", 29],
  ["cleanup.sh", 27],
];

/** A volume on which this script has something to do. */
function volumeFor(name: Name, files?: Record<string, string>): JobScript {
  const script = new JobScript(name, files, { MIGRATION: "this-migration" });
  if (name === "setOldRaftAside.sh") script.put("vault.db", "the store");
  if (name !== "setAside.sh" && name !== "cleanup.sh") return script;
  const before = new JobScript("carry.sh");
  Object.assign(before, { data: script.data });
  before.run(COPYING_BAO);
  before.remove();
  return script;
}

describe("tools that the server's image need not have (hazard I18)", () => {
  for (const [name, code, files] of SCRIPTS) {
    it(`${name} does its work with those that it asks for, and no others`, () => {
      const script = volumeFor(name, files);
      const run = script.run(COPYING_BAO, {}, { only: toolsOf(name) });
      script.remove();
      assert.equal(run.code, 0, run.output);
      assert.doesNotMatch(run.output, /not found/);
    });

    it(`${name} refuses without any one of them, names it, and changes nothing`, () => {
      const script = volumeFor(name, files);
      const before = readdirSync(script.data, { recursive: true }).sort();
      for (const tool of toolsOf(name)) {
        const only = toolsOf(name).filter((one) => one !== tool);
        const { result, ...run } = script.run(COPYING_BAO, {}, { only });
        assert.deepEqual([run.code, result], [code, { problem: "missing-tool", tool }], run.output);
      }
      assert.deepEqual(readdirSync(script.data, { recursive: true }).sort(), before);
      script.remove();
    });
  }

  it("are all asked for in stage backup: what carry.sh lacks shows while the server serves", () => {
    const asked = toolsOf("fileCopy.sh");
    assert.deepEqual(
      toolsOf("carry.sh").filter((tool) => !asked.includes(tool)),
      [],
    );
    assert.ok(asked.includes("find") && asked.includes("cmp"));
  });

  const stopped = (step: string) => new StepWorld(step).release({}, true).statefulSet(0).noPod();
  for (const [step, world] of [
    [fileCopy, new StepWorld("file-copy")],
    [carry, stopped("carry")],
    [setAside, stopped("set-aside")],
  ] as readonly [Step, StepWorld][])
    it(`step ${step.id} says which one, and what to do`, () =>
      assert.rejects(
        runBeats(step, jobsEnd(world, 29, { problem: "missing-tool", tool: "find" }).context),
        /lacks the tool.*Nothing was changed.*"tool":"find".*\[I18\]$/,
      ));
});

describe("a proof of nothing (hazards F18, I18)", () => {
  const failing = (tool: string) => ({ fakes: { [tool]: "exit 1" } });
  const silent = (tool: string) => ({ fakes: { [tool]: "exit 0" } });

  for (const tool of ["find", "xargs", "sha256sum", "sort"])
    for (const [how, tools] of [
      ["fails", failing(tool)],
      ["gives nothing", silent(tool)],
    ] as const) {
      it(`carry.sh proves nothing when ${tool} ${how}`, () => {
        const script = new JobScript("carry.sh");
        const run = script.run(COPYING_BAO, {}, tools);
        const promoted = existsSync(join(script.data, "vault.db"));
        script.remove();
        assert.notEqual(run.code, 0, run.output);
        assert.equal(promoted, false);
      });

      it(`fileCopy.sh has copied nothing when ${tool} ${how}`, () => {
        const script = new JobScript("fileCopy.sh");
        const run = script.run("exit 1", {}, tools);
        const kept = existsSync(join(script.data, KEEP, "backup"));
        script.remove();
        assert.notEqual(run.code, 0, run.output);
        assert.equal(kept, false);
      });
    }

  it("carry.sh proves nothing when a tool ends badly after a part of its work", () => {
    const script = new JobScript("carry.sh");
    const part = 'PATH=/usr/bin:/bin; sha256sum "$@" | grep core/; exit 1';
    const run = script.run(
      COPYING_BAO.replace("$WORK/back/ ;;", "$WORK/back/; rm -r $WORK/back/logical ;;"),
      {},
      {
        fakes: { sha256sum: part },
      },
    );
    script.remove();
    assert.equal(run.code, 34, run.output);
  });

  for (const [step, world] of [
    [fileCopy, new StepWorld("file-copy")],
    [carry, new StepWorld("carry").release({}, true).statefulSet(0).noPod()],
  ] as readonly [Step, StepWorld][])
    it(`step ${step.id} takes no Job's word for it that 0 entries are all`, async () => {
      await assert.rejects(
        runBeats(step, jobsEnd(world, 0, { entries: 0, bytes: 0, zeroByte: 0, temp: 0 }).context),
        /\[I18\]$/,
      );
      assert.equal(await world.context.journal.done(step.id), undefined);
    });
});
