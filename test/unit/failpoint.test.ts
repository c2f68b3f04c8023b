import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  armFailpoint,
  FAILPOINT,
  mutating,
  parseFailpoint,
  REACHED,
  RECORD_CALLS,
} from "../../components/cluster/failpoint";
import { KubeError } from "../../components/cluster/kubeTransport";
import { legsOf } from "../../rehearsal/move";
import {
  chooseFaults,
  everyFailpoint,
  everyOuterFault,
  isAt,
  namedFaults,
  parseRecord,
  proxyNumbers,
} from "../faults/chooseFaults";
import { faultText, mayBeAbsorbed, parseFault, stageOf, type Fault } from "../faults/fault";
import { summaryOf } from "../faults/summary";

const JOB = "POST /apis/batch/v1/namespaces/openbao/jobs";

describe("a failpoint (fault matrix rows 1, 2, 12, 13)", () => {
  let folder: string;
  let sent = 0;
  const send = () => Promise.resolve(++sent);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "failpoint-"));
    sent = 0;
  });
  afterEach(() => {
    for (const name of [FAILPOINT, REACHED, RECORD_CALLS]) delete process.env[name];
    armFailpoint("none");
    rmSync(folder, { recursive: true });
  });
  const arm = (text: string): void => {
    process.env[REACHED] = join(folder, "reached");
    armFailpoint("carry", { [FAILPOINT]: text });
  };

  it("does nothing when no variable is set", async () => {
    armFailpoint("carry", {});
    assert.equal(await mutating(JOB, send), 1);
  });

  it("fails the numbered call before it is sent, and no other", async () => {
    arm("carry:2:before:500");
    await mutating(JOB, send);
    await assert.rejects(
      mutating(JOB, send),
      (error: unknown) => error instanceof KubeError && error.status === 500,
    );
    await mutating(JOB, send);
    assert.equal(sent, 2);
  });

  it("loses the reply of a call that was sent", async () => {
    arm("carry:1:after:lost");
    await assert.rejects(
      mutating(JOB, send),
      (error: unknown) => error instanceof KubeError && error.status === 0,
    );
    assert.equal(sent, 1);
    assert.equal(readFileSync(join(folder, "reached"), "utf8"), `${JOB}\n`);
  });

  it("is for one step only", async () => {
    arm("flip:1:before:lost");
    assert.equal(await mutating(JOB, send), 1);
  });

  it("does not count the renewals of the Lease, which come by the clock", async () => {
    arm("carry:1:before:lost");
    await mutating("PUT /apis/coordination.k8s.io/v1/namespaces/openbao/leases/x", send);
    await assert.rejects(mutating(JOB, send));
  });

  it("refuses a text of another form, and shows the wanted one", () => {
    for (const text of ["", "carry", "carry:0:before:kill", "carry:1:during:kill", "carry:1:after:fire"])
      assert.throws(() => parseFailpoint(text), /expected STEP:CALL:before\|after:kill/, text);
  });

  it("records each call with its step and number", async () => {
    process.env[RECORD_CALLS] = join(folder, "calls");
    armFailpoint("carry");
    await mutating(JOB, send);
    await mutating("PUT /v1/sys/unseal", send);
    assert.deepEqual(parseRecord(readFileSync(join(folder, "calls"), "utf8")), [
      { step: "carry", call: 1, label: JOB },
      { step: "carry", call: 2, label: "PUT /v1/sys/unseal" },
    ]);
  });
});

describe("the choice of faults", () => {
  const calls = parseRecord("pause 1 PATCH /x\ncarry 1 POST /y\ncarry 2 PUT /z\nfollower-1 1 PATCH /s\n");

  it("covers every recorded call, before and after it", () => {
    const points = everyFailpoint(calls).map(faultText);
    assert.equal(points.length, calls.length * 8);
    for (const wanted of ["carry:2:after:kill", "carry:2:before:hold", "follower-1:1:after:lost"])
      assert.equal(points.includes(wanted), true, wanted);
  });

  it("covers the API server's answers, lost replies, cut streams, interrupts, lost state and evictions", () => {
    const texts = everyOuterFault(calls).map(faultText);
    for (const wanted of [
      "proxy:cutover:409:2",
      "proxy:cutover:503:3x3",
      "proxy:replicas:lost:1",
      "proxy:cutover:cut:1",
      "run:int-once:carry:2",
      "run:int-twice:pause:1",
      "run:lost-state:carry:1",
      "run:evict:follower-1:1",
      "run:served:carry:2",
    ])
      assert.equal(texts.includes(wanted), true, wanted);
    assert.equal(texts.length, calls.length * (7 + 16));
  });

  it("can be named again as the summary names it", () => {
    for (const fault of [...everyFailpoint(calls), ...everyOuterFault(calls)])
      assert.deepEqual(parseFault(faultText(fault)), fault);
    for (const wrong of [
      "proxy:cutover:418:1",
      "proxy:nowhere:429:1",
      "run:int-once:nothing:1",
      "carry:x",
      "",
    ])
      assert.throws(() => parseFault(wrong), /expected STEP:CALL:before\|after:WHAT, proxy:STAGE/, wrong);
  });

  it("is the same for the same seed, and gives one fault a stage that has calls, or a pair", () => {
    const once = chooseFaults(calls, { seed: "a", run: 1 });
    assert.deepEqual(once, chooseFaults(calls, { seed: "a", run: 1 }));
    assert.deepEqual([...once.keys()], ["cutover", "replicas"]);
    const pairs = chooseFaults(calls, { seed: "a", run: 1, pairs: true });
    assert.deepEqual(
      [...pairs.values()].map((faults) => faults.length),
      [2, 2],
    );
  });

  it("comes to every recorded call of a stage before it takes one again, and orders a pair (F2)", () => {
    const numbers = proxyNumbers(calls);
    const at = (fault: Fault) => calls.findIndex((call) => isAt(fault, call, numbers));
    const cutover = (run: number, pairs = false) =>
      (chooseFaults(calls, { seed: "a", run, pairs }).get("cutover") ?? []).map(at);
    assert.deepEqual([1, 2, 3].flatMap((run) => cutover(run)).sort(), [0, 1, 2]);
    assert.deepEqual([4, 5, 6].flatMap((run) => cutover(run)).sort(), [0, 1, 2]);
    for (let run = 1; run <= 20; run++) {
      const [first = -1, second = -1] = cutover(run, true);
      assert.equal(first >= 0 && first <= second, true, `run ${run}: ${first}, ${second}`);
    }
  });

  it("comes to the steps of a way back and of the cleanup, and to a stage's second time (F67)", () => {
    const twice = parseRecord(
      "carry 1 POST /old\ncarry 2 PUT /old\nrollback-swap 1 POST /j\ncarry 1 POST /new\ncleanup-file-data 1 POST /c\n",
    );
    assert.deepEqual(
      twice.map(({ step, label }) => `${step} ${label}`),
      ["rollback-swap POST /j", "carry POST /new", "cleanup-file-data POST /c"],
    );
    assert.deepEqual(
      [...chooseFaults(twice, { seed: "a", run: 1 }).keys()],
      ["cutover", "rollback", "cleanup"],
    );
    assert.equal(stageOf(parseFault("proxy:rollback:429:1")), "rollback");
    assert.deepEqual(legsOf({ rollback: "backup", cleanup: true }), [
      ...["network", "backup", "rollback"],
      ...["network", "backup", "cutover", "replicas", "verify", "land", "cleanup"],
    ]);
  });

  it("sorts named faults into their stages, and keeps their order", () => {
    const faults = ["carry:2:after:kill", "proxy:replicas:429:1", "run:evict:pause:1"].map(parseFault);
    const named = namedFaults(faults);
    assert.deepEqual(
      [...named].map(([stage, here]) => [stage, here.map(faultText)]),
      [
        ["cutover", ["carry:2:after:kill", "run:evict:pause:1"]],
        ["replicas", ["proxy:replicas:429:1"]],
      ],
    );
  });

  it("lets a run claim success after a fault that can be waited out, and never after a kill", () => {
    const absorbed = (text: string) => mayBeAbsorbed(parseFault(text));
    for (const text of ["proxy:cutover:429:1", "run:evict:carry:1", "carry:1:before:500"])
      assert.equal(absorbed(text), true, text);
    for (const text of [
      "carry:1:after:kill",
      "carry:1:before:hold",
      "run:kill:carry:1",
      "run:lost-state:carry:1",
    ])
      assert.equal(absorbed(text), false, text);
  });
});

describe("the summary of a campaign", () => {
  const stage = {
    fault: "carry:2:after:kill",
    reached: 1,
    hit: ["carry:2:after:kill"],
    faults: 2,
    plainRuns: 1,
    held: [],
  };
  const result = { stages: [stage], planned: "carry:2:after:kill", acknowledged: 40, calls: [] };

  it("counts what was reached and checked, and says how to run a failed one again", () => {
    const failures = [
      "every acknowledged write is readable: 1 lost",
      "a secret leaked into state",
      "run:lost-state:resume:3: plain runs did not end with 0: all there, leaked",
    ];
    const lines = summaryOf(
      [
        { run: 1, seconds: 10, result: { ...result, failures: [] } },
        { run: 2, seconds: 10, result: { ...result, failures } },
      ],
      { seed: "7", carry: "restore", cleanup: false, smallVolumes: false },
      parseRecord("carry 1 POST /y\ncarry 2 PUT /z\n"),
    ).join("\n");
    assert.match(lines, /2 run\(s\), 2 of 4 faults reached, 1 run\(s\) failed/);
    assert.match(lines, /calls at which a run was broken: 1 of 2$/m);
    assert.match(lines, /80 acknowledged writes checked; lost: 1, leaked: 1 finding/);
    assert.match(lines, /again: npm run faults -- --seed 7 --carry restore --faults "carry:2:after:kill"/);
  });
});
