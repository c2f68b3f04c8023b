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
import { randomStream } from "../../rehearsal/source/randomStream";
import { chooseFaults, everyFailpoint, failpointText, parseRecord } from "../faults/chooseFaults";

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
    const points = everyFailpoint(calls).map(failpointText);
    assert.equal(points.length, calls.length * 8);
    for (const wanted of ["carry:2:after:kill", "carry:2:before:hold", "follower-1:1:after:lost"])
      assert.equal(points.includes(wanted), true, wanted);
  });

  it("is the same for the same seed, and gives one fault a stage that has calls", () => {
    const once = chooseFaults(calls, randomStream("a", 1));
    assert.deepEqual(once, chooseFaults(calls, randomStream("a", 1)));
    assert.deepEqual([...once.keys()], ["cutover", "replicas"]);
  });
});
