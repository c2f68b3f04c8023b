import type { V1Job } from "@kubernetes/client-node";
import assert from "node:assert/strict";
import { runBeats, type Step } from "../../components/steps/runStep";
import { carry, migrateConfigs } from "../../components/steps/scripts/carry";
import { fileCopy } from "../../components/steps/scripts/fileCopy";
import { JOBS, jobsEnd } from "../support/jobsEnd";
import { StepWorld } from "../support/stepContext";

/** The step ends with that error, and its work is not in the journal. */
async function notDone(step: Step, world: StepWorld, why: RegExp): Promise<void> {
  await assert.rejects(runBeats(step, world.context), why);
  assert.equal(await world.context.journal.done(step.id), undefined);
}

const running = () => new StepWorld("file-copy");
const stopped = () => new StepWorld("carry").release({}, true).statefulSet(0).noPod();

describe("exit status 0 of a Job is no result (hazards, finding 1, and F16)", () => {
  it("file-copy: a Job that says nothing has copied nothing", () =>
    notDone(fileCopy, jobsEnd(running(), 0), /exit status 0 and without the result.*\[F16\]/));

  it("carry: a Job that says nothing has carried nothing", () =>
    notDone(carry, jobsEnd(stopped(), 0), /exit status 0 and without the result.*\[F16\]/));

  it("carry: what its Job says is journalled", async () => {
    const { observed } = await runBeats(carry, jobsEnd(stopped(), 0, { entries: 5 }).context);
    assert.equal(observed["entries"], 5);
  });

  it("a Job that failed without a word is told with its exit status", () =>
    notDone(carry, jobsEnd(stopped(), 137), /exit code 137: .*none/));
});

describe("entries that migrate would drop (hazard F20)", () => {
  const copied = { entries: 5, bytes: 100, largest: 50, zeroByte: 0, temp: 0 };

  for (const damaged of [{ zeroByte: 1 }, { temp: 2 }])
    it(`stop step file-copy while the server serves: ${JSON.stringify(damaged)}`, () =>
      notDone(
        fileCopy,
        jobsEnd(running(), 0, { ...copied, ...damaged }),
        /drop them without a word.*\[F20\]/,
      ));

  it("are none in a whole file storage", async () => {
    const { result } = await runBeats(fileCopy, jobsEnd(running(), 0, copied).context);
    assert.equal(result, "done");
  });
});

describe("entries larger than a Raft entry may be (hazards I13, F21)", () => {
  it("stop step carry before its Job when the planned server config has a smaller limit", async () => {
    const world = await jobsEnd(stopped(), 0, { entries: 5 }).done("file-copy", { largest: 2_000_000 });
    await notDone(
      carry,
      world,
      /needs max_entry_size 2097152, the planned server config has 1048576.*\[I13\]/,
    );
    assert.deepEqual(
      world.kube.writes.filter(({ path }) => path === JOBS),
      [],
    );
  });

  it("give migrate the limit that the server gets, forth and back", () => {
    for (const config of Object.values(migrateConfigs("openbao", 2_097_152)))
      assert.match(config, /storage_\w+ "raft" \{[^}]*max_entry_size = "2097152"/);
  });
});

describe("the work folder of step carry (hazard F33)", () => {
  const MIB = 1024 * 1024;
  for (const [bytes, medium] of [
    [100 * MIB, "Memory"],
    [600 * MIB, undefined],
    [3 * 1024 * MIB, undefined],
    // What an earlier version of step file-copy noted of 3 GiB, and a journal that says nothing of the size.
    [-1_073_741_824, undefined],
    [undefined, undefined],
  ] as const)
    it(`lies ${medium === undefined ? "on disk" : "in memory"} for ${bytes ?? "an unknown number of"} bytes`, async () => {
      const world = await jobsEnd(stopped(), 0, { entries: 5 }).done("file-copy", { bytes });
      await runBeats(carry, world.context);
      const made = world.kube.writes.find(({ verb, path }) => verb === "create" && path === JOBS)
        ?.body as V1Job;
      const work = made.spec?.template.spec?.volumes?.find(({ name }) => name === "work");
      assert.equal(work?.emptyDir?.medium, medium);
    });
});
