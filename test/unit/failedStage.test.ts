import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubeClient } from "../../components/cluster/kubeClient";
import { reseedReport } from "../../rehearsal/carryRun";
import { moveThroughStages, StageFailed } from "../../rehearsal/move";
import type { RehearsalOptions } from "../../rehearsal/options";
import type { Claim } from "../../rehearsal/outcome";
import type { PulumiRun, PulumiStack } from "../../rehearsal/pulumiStack";
import { failedReport, stagesClaim } from "../../rehearsal/report/failedReport";
import { finishRun } from "../../rehearsal/report/finishRun";
import { verdict } from "../../rehearsal/report/runReport";
import { standInsOf } from "../../rehearsal/report/standIns";
import { writeReport } from "../../rehearsal/report/writeReport";

const GOOD: PulumiRun = { code: 0, seconds: 1, output: "    + 3 created\n" };
const BAD: PulumiRun = { code: 255, seconds: 1, output: "the voters are two [I7]\n" };

/** A stack of which `pulumi up` fails from the stage `failing` on. */
function stackThatFails(failing: string): PulumiStack {
  let stage = "";
  const stack = {
    select: (name: string) => Promise.resolve(void (stage = name)),
    preview: () => Promise.resolve(GOOD),
    up: () => Promise.resolve(stage === failing ? BAD : GOOD),
  };
  return stack as unknown as PulumiStack;
}

async function failureOf(failing: string): Promise<StageFailed> {
  const how = { kill: false, carry: "migrate" } as const;
  const moved = moveThroughStages(stackThatFails(failing), {} as KubeClient, how, () => undefined);
  return await moved.then(
    () => assert.fail("a failed stage was taken for passed"),
    (error: unknown) => {
      assert.ok(error instanceof StageFailed);
      return error;
    },
  );
}

describe("a rehearsal of which a stage fails", () => {
  const facts = { title: "t", startedAt: "2026-01-01T00:00:00.000Z", keys: 10, seed: "1", machine: "m" };
  const load = { prefix: "", attempts: [] };

  it("names the stage, and keeps what passed before it", async () => {
    const failed = await failureOf("cutover");
    assert.equal(failed.stage, "cutover");
    assert.deepEqual(
      failed.before.map((stage) => stage.name),
      ["network", "backup"],
    );
    assert.match(failed.message, /pulumi up of stage cutover ended with 255:\nthe voters are two/);
  });

  it("has a report that says so: a run without a report would look like one that was never made", async () => {
    const failed = await failureOf("network");
    const journal = [{ time: "2026-01-01T00:00:01.000Z", step: "network-probe", beat: "act" }];
    const report = failedReport({ facts: { ...facts, standIns: [] }, failed, load, journal });
    assert.equal(verdict(report), "failed");
    const dir = mkdtempSync(join(tmpdir(), "failed-"));
    try {
      const paths = await writeReport(report, dir);
      const text = readFileSync(paths.markdown, "utf8");
      assert.match(text, /every stage passed \| FAILS \| stage network failed: pulumi up of stage network/);
      assert.match(text, /network-probe/);
      assert.doesNotMatch(text, /NaN|1970/);
      const page = readFileSync(paths.html, "utf8");
      assert.match(page, /stage network failed/);
      assert.doesNotMatch(page, /NaN|1970|undefined/, "a number that nobody measured is no number");
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("claims every stage where all passed", () =>
    assert.deepEqual(stagesClaim([{ name: "network" }, { name: "backup" }]), {
      claim: "every stage passed",
      holds: true,
      seen: "network, backup",
    }));
});

describe("a rehearsal of reseed", () => {
  const facts = { title: "t", startedAt: "2026-01-01T00:00:00.000Z", keys: 10, seed: "1", machine: "m" };
  const claim = { claim: "three voters of one new cluster", holds: true, seen: "3 voters" };
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "reseed-"))));
  afterEach(() => rmSync(dir, { recursive: true }));

  /** @returns the exit code and the report's text */
  async function rehearsed(failing: string, claims: () => Promise<Claim[]>) {
    const kube = {} as KubeClient;
    const options = { kill: false, carry: "reseed" } as RehearsalOptions;
    const stack = stackThatFails(failing);
    const log = () => undefined;
    const run = { options, kube, stack, facts: { ...facts, standIns: [] }, log };
    const code = await finishRun(await reseedReport(run, claims), dir, log);
    const page = readFileSync(join(dir, "report.html"), "utf8");
    assert.doesNotMatch(page, /NaN|1970|undefined/);
    return { code, text: readFileSync(join(dir, "report.md"), "utf8") };
  }

  it("writes a report when a stage fails: a run without one would look like one that was never made", async () => {
    const { code, text } = await rehearsed("replicas", () => assert.fail("nothing to look at yet"));
    assert.equal(code, 1);
    assert.match(
      text,
      /every stage passed \| FAILS \| stage replicas failed: .*passed before it: network, backup, cutover/,
    );
  });

  it("writes one when the new store cannot be looked at, and does not call it passed", async () => {
    const { code, text } = await rehearsed("none", () => Promise.reject(new Error("no active node")));
    assert.equal(code, 1);
    assert.match(text, /could be looked at \| FAILS \| no active node/);
  });

  it("has passed without a client load, which has no token there", async () => {
    const { code, text } = await rehearsed("none", () => Promise.resolve([claim]));
    assert.equal(code, 0);
    assert.match(text, /PASSED.*three voters of one new cluster \| holds/s);
    assert.match(text, /writes lost \| not measured/);
  });
});

describe("the stand-ins that a report names", () => {
  const used = (options: object, helmController = true) =>
    standInsOf({
      options: { delivery: "flux", flux: false, ...options },
      commandPlugin: "real",
      helmController,
    }).map((part) => part.split(":")[0]);
  const ofCluster = [
    "NetworkPolicy",
    "volumes",
    "External Secrets operator",
    "definition of PrometheusRules",
  ];

  it("are those that were used: none of them on a cluster that has the real parts", () => {
    assert.deepEqual(used({ context: "own" }, false), []);
    assert.deepEqual(used({ context: "own" }), ["Flux helm-controller", "openbao chart"]);
    assert.deepEqual(used({}), ["Flux helm-controller", "openbao chart", ...ofCluster]);
  });

  it("have no helm-controller where Helm itself applies the chart", () =>
    assert.deepEqual(used({ delivery: "helm" }), ["openbao chart", ...ofCluster]));

  it("say with --flux that the chart does not come by source-controller", () => {
    const parts = standInsOf({
      options: { delivery: "flux", flux: true },
      commandPlugin: "real",
      helmController: true,
    });
    assert.match(parts.join("\n"), /standins\/chart \(from that folder: source-controller does not bring/);
  });
});
