import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { campaignOf } from "../faults/campaignOptions";
import { CampaignResults, programOf, type CampaignKey } from "../faults/campaignResults";
import { chosenRuns } from "../faults/chosenRuns";
import { faultText } from "../faults/fault";
import type { FaultRunOptions } from "../faults/faultRun";
import type { NumberedRun } from "../faults/summary";

const CALLS = [
  { step: "carry", call: 1, label: "POST /j" },
  { step: "follower-1", call: 1, label: "PATCH /s" },
];
const KEY: CampaignKey = { program: "abc def", keys: 50, pairs: false, smallVolumes: false };

describe("a campaign of hours that is cut off", () => {
  let dir: string;
  let file: string;
  const log = () => undefined;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "campaign-"));
    file = join(dir, "seed-7.jsonl");
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const text = (faults: FaultRunOptions["faults"]) => [...faults.values()].flat().map(faultText).join(" ");

  /** Runs that hold, noted; the process is killed in number `killedIn`. */
  function runner(done: Map<number, string>, killedIn = -1) {
    return (number: number, faults: FaultRunOptions["faults"]): Promise<NumberedRun> => {
      if (number === killedIn) return Promise.reject(new Error("killed"));
      done.set(number, text(faults));
      const calls = number === 0 ? CALLS : [];
      const result = { stages: [], planned: text(faults), failures: [], acknowledged: 1, calls };
      return Promise.resolve({ run: number, seconds: 100, result });
    };
  }
  const campaign = (runs: number) => campaignOf(["--runs", String(runs), "--seed", "7"])!;

  it("goes on where it ended, with the faults that it would have had: no hour is lost (F1)", async () => {
    const whole = new Map<number, string>();
    await chosenRuns(
      campaign(6),
      new CampaignResults(join(dir, "whole.jsonl"), KEY, false),
      runner(whole),
      log,
    );
    const parts = new Map<number, string>();
    const first = chosenRuns(campaign(6), new CampaignResults(file, KEY, false), runner(parts, 4), log);
    await assert.rejects(first, /killed/);
    // Half a line, as of a process that was killed while it wrote.
    appendFileSync(file, '{"run":4,"seco');
    assert.deepEqual([...parts.keys()], [0, 1, 2, 3]);
    const again = new Map<number, string>();
    const results = new CampaignResults(file, KEY, true);
    const all = await chosenRuns(campaign(6), results, runner(again), log);
    assert.deepEqual([...again.keys()], [4, 5, 6]);
    assert.deepEqual(new Map([...parts, ...again]), whole);
    assert.deepEqual(
      all.map(({ run }) => run),
      [1, 2, 3, 4, 5, 6],
    );
    assert.equal(
      new CampaignResults(file, KEY, true).faulted().length,
      6,
      "the half line spoils none after it",
    );
  });

  it("counts the results of another program apart: they prove nothing of this one (F66)", async () => {
    await chosenRuns(campaign(3), new CampaignResults(file, KEY, false), runner(new Map()), log);
    const mine = new Map<number, string>();
    const results = new CampaignResults(file, { ...KEY, program: "new def" }, true);
    const all = await chosenRuns(campaign(2), results, runner(mine), log);
    assert.deepEqual([...mine.keys()], [0, 1, 2]);
    assert.equal(all.length, 2);
    assert.deepEqual(results.apart(), ["counted apart, program abc def, 50 keys: 3 run(s), 0 failed"]);
    assert.match(programOf(), /^([0-9a-f]{12}(\+changed)?|no-commit) [0-9a-f]{12}$/);
  });

  it("counts each data path apart, and one of before that was known for migrate (F66)", async () => {
    await chosenRuns(campaign(1), new CampaignResults(file, KEY, false), runner(new Map()), log);
    const restore = new CampaignResults(file, { ...KEY, path: { carry: "restore", cleanup: false } }, true);
    assert.equal(restore.calls(), undefined);
    assert.deepEqual(restore.apart(), ["counted apart, program abc def, 50 keys: 1 run(s), 0 failed"]);
    assert.equal(
      new CampaignResults(file, { ...KEY, path: { carry: "migrate", cleanup: false } }, true).faulted()
        .length,
      1,
    );
  });

  it("begins anew without --continue, and throws no earlier result away", async () => {
    await chosenRuns(campaign(1), new CampaignResults(file, KEY, false), runner(new Map()), log);
    const before = readFileSync(file, "utf8");
    assert.equal(new CampaignResults(file, KEY, false).faulted().length, 0);
    const [aside] = readdirSync(dir);
    assert.match(aside!, /^seed-7\..*Z\.jsonl$/);
    assert.equal(readFileSync(join(dir, aside!), "utf8"), before);
  });

  it("takes a run without a fault that failed for no record of calls", async () => {
    const results = new CampaignResults(file, KEY, false);
    const failing = (number: number) => {
      const result = { stages: [], planned: "", failures: ["x"], acknowledged: 0, calls: CALLS };
      return Promise.resolve({ run: number, seconds: 1, result });
    };
    assert.equal((await chosenRuns(campaign(3), results, failing, log)).length, 1);
    assert.equal(new CampaignResults(file, KEY, true).calls(), undefined);
  });
});

describe("the options of a campaign", () => {
  it("are refused by name with what was found and expected", () => {
    for (const [args, expected] of [
      [["--runs", "0"], /--runs "0": expected a whole number of at least 1/],
      [["--carry", "copy"], /--carry "copy": expected one of migrate, restore, reseed, none/],
      [
        ["--rollback", "land"],
        /--rollback "land": expected one of network, backup, cutover, replicas, verify,/,
      ],
      [
        ["--carry", "none", "--cleanup"],
        /--carry none with --cleanup: only carry migrate leaves a file storage/,
      ],
      [["--seed", "../x"], /--seed "\.\.\/x": expected 1 to 40 letters/],
      [["--continue", "--faults", "carry:1:after:kill"], /--continue with --faults/],
      [["--faults", "world:data-full:carry:1"], /data-full without --small-volumes/],
    ] as const)
      assert.throws(() => campaignOf(args), expected);
    assert.equal(campaignOf(["--list"]), undefined);
    assert.equal(campaignOf([])?.carry, "migrate");
    assert.equal(campaignOf(["--small-volumes", "--faults", "world:data-full:carry:1"])?.named?.size, 1);
  });
});
