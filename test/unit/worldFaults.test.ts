import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PulumiStack } from "../../rehearsal/pulumiStack";
import { breakRun, type Breaker } from "../faults/breakRun";
import { chooseFaults, everyWorldFault, parseRecord } from "../faults/chooseFaults";
import { faultList, faultText, mayBeAbsorbed, parseFault, stageOf } from "../faults/fault";
import { runFaultedStage } from "../faults/faultedStage";
import { WorldBreaker, type WorldDeeds } from "../faults/worldBreaker";
import { WORLD_FAULTS, wrongOutcome } from "../faults/worldFault";
import { FakeKube } from "../support/fakeKube";

const NS = "/api/v1/namespaces/openbao";
const calls = parseRecord(
  "network-probe 1 POST /p\nflip 1 PATCH /x\nfollower-1 1 PATCH /s\nresume 1 PATCH /y\n",
);

/** A cluster whose openbao-0 is on node-2, and whose volumes are folders. */
function world(): FakeKube {
  const kube = new FakeKube();
  for (const name of ["node-1", "node-2", "node-3"]) kube.put(`/api/v1/nodes/${name}`, { spec: {} });
  kube.put(`${NS}/pods/openbao-0`, { spec: { nodeName: "node-2" } });
  for (const what of ["audit", "data"]) {
    kube.put(`${NS}/persistentvolumeclaims/${what}-openbao-0`, { spec: { volumeName: `pv-${what}` } });
    const matchExpressions = [{ values: ["node-2"] }];
    kube.put(`/api/v1/persistentvolumes/pv-${what}`, {
      spec: {
        local: { path: `/volumes/${what}` },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
      },
    });
  }
  return kube;
}

/** Deeds that are only noted. */
function noted(deeds: string[]): WorldDeeds {
  return {
    cut: (node, what) => Promise.resolve(void deeds.push(`cut ${node.name} ${what}`)),
    breakAudit: (volume) => void deeds.push(`audit ${volume}`),
    fill: (volume) => deeds.push(`fill ${volume}`),
    heal: () => Promise.resolve(void deeds.push("heal")),
  };
}

describe("the choice of faults of the world", () => {
  it("does each where its record says, and fills a volume only where it can be filled", () => {
    const texts = everyWorldFault(calls, false).map(faultText);
    for (const wanted of [
      "world:net-8201:network-probe:1",
      "world:audit-off:flip:1",
      "world:drain:follower-1:1",
    ])
      assert.equal(texts.includes(wanted), true, wanted);
    for (const wrong of ["audit-off:follower-1", "net-node:flip", "data-full", ":resume:"])
      assert.equal(
        texts.some((text) => text.includes(wrong)),
        false,
        wrong,
      );
    assert.equal(everyWorldFault(calls, true).map(faultText).includes("world:data-full:flip:1"), true);
  });

  it("has each of them in a campaign, and gives the same for the same seed", () => {
    const seen = new Set<string>();
    for (let number = 1; number <= 300; number++) {
      const once = chooseFaults(calls, { seed: "w", run: number, smallVolumes: true });
      assert.deepEqual(once, chooseFaults(calls, { seed: "w", run: number, smallVolumes: true }));
      for (const fault of [...once.values()].flat()) if (fault.kind === "world") seen.add(fault.what);
    }
    assert.deepEqual([...seen].sort(), [...WORLD_FAULTS].sort());
  });

  it("is named again as the summary names it, and refused where it is not done", () => {
    for (const fault of everyWorldFault(calls, true)) {
      assert.deepEqual(parseFault(faultText(fault)), fault);
      assert.ok(stageOf(fault) !== undefined);
    }
    assert.throws(
      () => parseFault("world:audit-off:follower-1:1"),
      /audit-off is not done in step follower-1/,
    );
    assert.throws(() => parseFault("world:fire:flip:1"), /expected .*world:net-8200\|/);
  });

  it("is listed with its rows and its outcome", () => {
    const lines = faultList().join("\n");
    for (const what of WORLD_FAULTS)
      assert.match(lines, new RegExp(`^world:${what}:STEP:CALL \\(F\\d+`, "m"));
    assert.match(lines, /audit-off.*\(F36\).*the run must hold/);
    assert.match(lines, /^run:evict:STEP:CALL \(F16, F40/m);
  });
});

describe("what a run must do under a fault of the world", () => {
  const held = {
    code: 255,
    output: 'error: {"step":"unseal-0","result":"failed","why":"waited 300 s for openbao-0"}',
  };

  it("is to hold where an audit log cannot be written: a healthy answer would be a lie (F36)", () => {
    assert.match(
      wrongOutcome("audit-off", { code: 0, output: "" }) ?? "",
      /claims success, and it must hold/,
    );
    assert.equal(wrongOutcome("audit-off", held), undefined);
    assert.equal(mayBeAbsorbed(parseFault("world:audit-off:flip:1")), false);
  });

  it("is to go on, or to say why not (F44)", () => {
    assert.equal(wrongOutcome("net-8201", { code: 0, output: "" }), undefined);
    assert.equal(wrongOutcome("net-8201", held), undefined);
    for (const output of ["8201 is closed [F44]", "  FAIL  peers: two", String.raw`"why\":\"x`])
      assert.equal(wrongOutcome("net-8201", { code: 1, output }), undefined, output);
    assert.match(wrongOutcome("net-8201", { code: 1, output: "exit status 1" }) ?? "", /no line says why/);
  });
});

describe("a fault of the world in a run", () => {
  const doing = async (what: (typeof WORLD_FAULTS)[number], kube = world()) => {
    const deeds: string[] = [];
    const breaker = new WorldBreaker(kube, what, noted(deeds), () => 0);
    await breaker.tick(false);
    assert.deepEqual([deeds.length, breaker.broken], [0, false], "not before its time");
    await breaker.tick(true);
    return { deeds, breaker };
  };

  it("is done once, on the node and the volumes of openbao-0", async () => {
    assert.deepEqual((await doing("net-8201-in")).deeds, ["cut node-2 8201-in"]);
    assert.deepEqual((await doing("audit-off")).deeds, ["audit /volumes/audit"]);
    const { deeds, breaker } = await doing("data-full");
    await breaker.tick(true);
    assert.deepEqual(deeds, ["fill /volumes/data"]);
  });

  it("finds the node by the volume while the server is stopped (F40)", async () => {
    const kube = world().drop(`${NS}/pods/openbao-0`);
    await doing("drain", kube);
    assert.deepEqual(kube.peek<{ spec: object }>("/api/v1/nodes/node-2")?.spec, { unschedulable: true });
  });

  it("is healed at its time while the run goes on, and one that lasts when the run has ended", async () => {
    let now = 0;
    const deeds: string[] = [];
    const short = new WorldBreaker(world(), "net-8201", noted(deeds), () => now);
    await short.tick(true);
    now = 44_999;
    await short.tick(true);
    assert.deepEqual(deeds, ["cut node-2 8201"]);
    now = 45_000;
    await short.tick(true);
    await short.tick(true);
    await short.heal();
    assert.deepEqual(deeds, ["cut node-2 8201", "heal"]);
    const long = await doing("audit-off");
    await long.breaker.tick(true);
    assert.equal(long.deeds.includes("heal"), false);
    await long.breaker.heal();
    assert.equal(long.deeds.at(-1), "heal");
  });

  it("is healed even when it could be done by half only", async () => {
    const deeds: string[] = [];
    const failing = { ...noted(deeds), cut: () => Promise.reject(new Error("nft refused")) };
    const breaker = new WorldBreaker(world(), "net-8201", failing);
    await assert.rejects(breaker.tick(true), /nft refused/);
    await breaker.heal();
    assert.deepEqual(deeds, ["heal"]);
  });
});

describe("a stage with a fault of the world", () => {
  let runDir: string;
  beforeEach(() => (runDir = mkdtempSync(join(tmpdir(), "world-"))));
  afterEach(() => rmSync(runDir, { recursive: true }));

  /** A stack whose run comes to flip's first call, and then ends as given; plain runs end with 0. */
  function breakerOf(code: number, output: string, deeds: string[]): Breaker {
    const done = { code, seconds: 1, output };
    const stack = {
      startUp: (env: Record<string, string>) => {
        writeFileSync(Object.values(env)[0]!, "flip 1 PATCH /x\n");
        const child = spawn(process.execPath, ["-e", ""]);
        return { child, done: new Promise((resolve) => setTimeout(resolve, 300, done)) };
      },
      up: () => Promise.resolve({ ...done, code: 0 }),
      cancel: () => Promise.resolve(),
    } as unknown as PulumiStack;
    return { stack, runDir, kube: world(), world: noted(deeds), proxy: undefined as never };
  }
  const fault = parseFault("world:audit-off:flip:1");

  it("is over only when the next plain run ends well, the fault healed before it (F36)", async () => {
    const deeds: string[] = [];
    const done = await runFaultedStage(breakerOf(1, "openbao-0 is sealed [F24]", deeds), [fault]);
    assert.deepEqual([done.reached, done.plainRuns], [1, 1]);
    assert.deepEqual(deeds, ["audit /volumes/audit", "heal"]);
  });

  it("lets a server come back: plain runs that only the gate stopped do not count, others do", async () => {
    const gate = "error: the gate stopped this run before anything was touched; its report is above";
    const after = (output: string, runs: number) => {
      const breaker = breakerOf(1, "openbao-0 is sealed [F24]", []);
      let left = runs;
      const up = () => Promise.resolve({ code: left-- > 0 ? 1 : 0, seconds: 1, output });
      return runFaultedStage({ ...breaker, stack: Object.assign(breaker.stack, { up }) }, [fault]);
    };
    assert.equal((await after(gate, 5)).plainRuns, 1);
    await assert.rejects(after("a step failed", 5), /3 plain runs did not end with 0/);
  });

  it("fails when the run claims success under a fault that must hold it (F36)", async () => {
    const stage = runFaultedStage(breakerOf(0, "", []), [fault]);
    await assert.rejects(stage, /world:audit-off:flip:1: the run claims success, and it must hold/);
  });

  it("ends the run, and heals, when the fault cannot be done", async () => {
    const deeds: string[] = [];
    const breaker = breakerOf(0, "", deeds);
    const broken = breakRun({ ...breaker, kube: new FakeKube() }, fault);
    await assert.rejects(broken, /404/);
    assert.deepEqual(deeds, ["heal"]);
  });
});
