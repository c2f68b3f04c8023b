import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { parseConfig } from "../../config";
import { judged } from "../../components/gate/judged";
import { planPartsOf } from "../../components/gate/planParts";
import { readRehearsal, type RehearsalView } from "../../components/gate/readRehearsal";
import { blocks } from "../../components/gate/report";
import type { PlanParts } from "../../components/evidence/planDigest";
import { evidence, PLAN } from "../support/evidenceBuilder";
import {
  configOf,
  helmWorld,
  NS,
  openPolicy,
  raftWorld,
  RELEASE,
  standaloneWorld,
  STATEFUL_SET,
  type World,
} from "../support/snapshotBuilder";

const JOURNAL = `${NS}/configmaps/openbao-raft-migration-journal`;
/** The snapshots' time is 2026-11-24T09:00:00Z. */
const RECENT = "2026-11-24T08:30:00.000Z";
const STACK = { rehearsal: { stack: "organization/openbao-migration/dev" } };

/** Evidence of a rehearsal with the very plan of `world`, changed by `part`. */
async function rehearsed(world: World, passedAt = RECENT, part: Partial<PlanParts> = {}, runId?: string) {
  const config = configOf();
  const plan = { ...planPartsOf(await world.snapshot(config), config), ...part };
  return (stages?: Parameters<typeof evidence>[2]): RehearsalView => ({
    stack: "dev",
    evidence: evidence(passedAt, plan, stages, runId),
  });
}

async function ask(world: World, view: RehearsalView | undefined, values: Record<string, unknown> = {}) {
  world.rehearsal = view;
  const config = configOf({ stage: "cutover", ...STACK, ...values });
  const { report } = judged({ ok: true, config }, config, await world.snapshot(config));
  const row = report.rows.find((one) => one.check.id === "rehearsal-evidence")!;
  return { outcome: row.outcome, found: row.judgement.found, blocked: blocks(report) };
}

describe("the rehearsal's evidence", () => {
  it("lets the plan through that was rehearsed", async () => {
    const world = standaloneWorld();
    const answer = await ask(world, (await rehearsed(world))());
    assert.equal(answer.outcome, "PASS", answer.found);
    assert.match(answer.found, /network, backup, cutover/);
  });

  it("is not asked of the rehearsal itself", async () => {
    assert.equal((await ask(standaloneWorld(), undefined)).outcome, "NONE");
  });

  it("is asked of a stack that calls itself the rehearsal on a cluster that does not say so (F64)", async () => {
    for (const label of [null, "false", ""]) {
      const labels = { "openbao-raft-migration/rehearsal": label };
      const answer = await ask(
        standaloneWorld().patch("/api/v1/namespaces/openbao", { metadata: { labels } }),
        undefined,
      );
      assert.deepEqual([answer.outcome, answer.blocked], ["FAIL", true]);
      assert.match(answer.found, /^rehearsal.throwAway is true, and namespace "openbao" does not say/);
    }
    const gone = standaloneWorld();
    gone.kube.drop("/api/v1/namespaces/openbao");
    assert.equal((await ask(gone, undefined)).outcome, "UNKNOWN");
  });

  it("is asked on a cluster that can be thrown away, of a stack that does not call itself the rehearsal", async () => {
    assert.equal((await ask(standaloneWorld(), { fault: "no rehearsal is named" })).blocked, true);
  });

  it("stops a stack that names no rehearsal, unless that is waived with a reason", async () => {
    const view = { fault: "no rehearsal is named" };
    assert.equal((await ask(standaloneWorld(), view)).blocked, true);
    const waivers = [{ check: "rehearsal-evidence", reason: "one cluster only", expires: "2026-12-01" }];
    const waived = await ask(standaloneWorld(), view, { waivers });
    assert.deepEqual([waived.outcome, waived.blocked], ["WAIVED", false]);
  });

  it("stops a stage that was not passed, though the ones before were (F64)", async () => {
    const world = standaloneWorld();
    const answer = await ask(world, (await rehearsed(world))(["network", "backup"]));
    assert.equal(answer.outcome, "FAIL");
    assert.match(answer.found, /^stage cutover was not passed in run run-a$/);
  });

  it("stops evidence that is too old, by the age of the config (F64)", async () => {
    const world = standaloneWorld();
    const week = (await rehearsed(world, "2026-11-17T08:30:00.000Z"))();
    const answer = await ask(world, week);
    assert.match(answer.found, /stage network was passed 168 h ago/);
    assert.equal(answer.blocked, true);
    const longer = await ask(world, week, { rehearsal: { ...STACK.rehearsal, maxAgeHours: 169 } });
    assert.equal(longer.outcome, "PASS");
  });

  it("stops evidence of the future (F60, F64)", async () => {
    const world = standaloneWorld();
    const answer = await ask(world, (await rehearsed(world, "2026-11-24T09:30:00.000Z"))());
    assert.match(answer.found, /passed in the future/);
  });

  for (const part of Object.keys(PLAN) as (keyof PlanParts)[]) {
    it(`stops another ${part} than was rehearsed, and says both (F64, F66)`, async () => {
      const world = standaloneWorld();
      const answer = await ask(world, (await rehearsed(world, RECENT, { [part]: "other" }))());
      assert.equal(answer.outcome, "FAIL");
      assert.match(answer.found, new RegExp(`^${part}: rehearsed other, here `));
    });
  }

  describe("of a chart that is asked for by a range", () => {
    const asks = (version: string | null, ...history: readonly [chartVersion: string, status: string][]) =>
      standaloneWorld().patch(RELEASE, {
        spec: { chart: { spec: { version } } },
        status: { history: history.map(([chartVersion, status]) => ({ chartVersion, status })) },
      });

    it("lets the same version of the same range through", async () => {
      const world = () => asks("0.x", ["0.29.2", "deployed"]);
      assert.equal((await ask(world(), (await rehearsed(world()))())).outcome, "PASS");
    });

    it("stops a range that means another chart here than in the rehearsal (F64)", async () => {
      for (const range of ["0.x", ">=0.29.0", null]) {
        const view = (await rehearsed(asks(range, ["0.29.1", "deployed"])))();
        const answer = await ask(asks(range, ["0.29.2", "deployed"], ["0.29.1", "superseded"]), view);
        assert.deepEqual([answer.outcome, answer.blocked], ["FAIL", true]);
        assert.match(answer.found, /^chart: rehearsed .*running 0\.29\.1, here .*running 0\.29\.2$/);
      }
    });

    it("stops one of which nobody says what runs, though both say the same (F64)", async () => {
      const answer = await ask(asks("0.x"), (await rehearsed(asks("0.x")))());
      assert.equal(answer.found, "chart: openbao 0.x, which version runs is not known");
    });

    it("takes what is deployed for what runs, and not an upgrade that failed", async () => {
      const view = (await rehearsed(asks("0.x", ["0.29.1", "deployed"])))();
      const failed = asks("0.x", ["0.29.2", "failed"], ["0.29.1", "deployed"]);
      assert.equal((await ask(failed, view)).outcome, "PASS");
    });

    it("says one version once: Flux adds the build of a chart from an OCI registry", async () => {
      const view = (await rehearsed(standaloneWorld()))();
      assert.equal((await ask(asks("v0.29.2", ["0.29.2+1a2b3c", "deployed"]), view)).outcome, "PASS");
      assert.equal((await ask(asks("0.29.2", ["0.29.2+1a2b3c", "deployed"]), view)).outcome, "PASS");
      assert.equal((await ask(asks("0.29.2", ["0.29.1", "deployed"]), view)).outcome, "FAIL");
    });

    it("is the recorded chart where Helm itself delivers: it knows no range", async () => {
      const config = configOf({ delivery: "helm" });
      const world = helmWorld();
      assert.match(planPartsOf(await world.snapshot(config), config).chart, /^openbao \d+\.\d+\.\d+$/);
    });
  });

  it("sees a world whose chart or version is another one (F64)", async () => {
    const view = (await rehearsed(standaloneWorld()))();
    const chart = standaloneWorld().patch(RELEASE, { spec: { chart: { spec: { version: "0.30.0" } } } });
    assert.match((await ask(chart, view)).found, /chart: rehearsed openbao 0.29.2, here openbao 0.30.0/);
    const image = standaloneWorld().patch(STATEFUL_SET, {
      spec: {
        template: { spec: { containers: [{ name: "openbao", image: "quay.io/openbao/openbao:2.6.0" }] } },
      },
    });
    assert.match((await ask(image, view)).found, /openbao: rehearsed .*, here 2.6.0/);
  });

  it("does not come from the run of this very cluster (F64)", async () => {
    const world = standaloneWorld();
    world.kube.put(JOURNAL, { metadata: { uid: "run-a" } });
    assert.match((await ask(world, (await rehearsed(world))())).found, /the run of this very cluster/);
  });

  it("is not asked again of a stage that is done, nor in the middle of a cutover", async () => {
    const nothing = { fault: "no rehearsal is named" };
    assert.equal((await ask(raftWorld(), nothing, { stage: "replicas" })).outcome, "NONE");
    assert.equal((await ask(raftWorld(), nothing, { stage: "verify" })).outcome, "FAIL");
    const under = openPolicy(standaloneWorld()).patch(RELEASE, {
      metadata: { annotations: { "openbao-raft-migration/paused": "me" } },
      spec: { suspend: true },
    });
    assert.equal((await ask(under, nothing)).outcome, "NONE");
  });

  it("compares what no move changes: the plan is the same before, in and after it", async () => {
    const config = configOf();
    const parts = async (world: World) => planPartsOf(await world.snapshot(config), config);
    assert.deepEqual(await parts(raftWorld()), await parts(standaloneWorld()));
    const down = standaloneWorld().patch(STATEFUL_SET, { spec: { replicas: 0 } });
    down.kube.drop(`${NS}/pods/openbao-0`);
    assert.deepEqual(await parts(down), await parts(standaloneWorld()));
  });

  it("leaves names of release and namespace out of the plan", async () => {
    const snapshot = await standaloneWorld().snapshot();
    const other = configOf({ release: "vault", namespace: "vault" });
    assert.deepEqual(planPartsOf(snapshot, other), planPartsOf(snapshot, configOf()));
  });
});

describe("reading the rehearsal's stack", () => {
  const outputs = new Map<string, unknown>();
  const asStack = (stack: string) =>
    pulumi.runtime.setMocks(
      {
        newResource: ({ name, inputs }) => ({ id: name, state: inputs as object }),
        call: ({ token, inputs }) => {
          assert.equal(token, "pulumi:pulumi:readStackOutputs");
          const name = String((inputs as { name: unknown }).name);
          if (!outputs.has(name)) throw new Error(`unknown stack "${name}"`);
          return { name, outputs: outputs.get(name), secretOutputNames: [] };
        },
      },
      "openbao-migration",
      stack,
      false,
    );

  before(() => {
    outputs.set("o/openbao-migration/dev", { evidence: evidence(RECENT) });
    outputs.set("empty", { stage: "land" });
  });

  const ask = (stack?: string) => readRehearsal({ throwAway: false, ...(stack !== undefined && { stack }) });

  it("is let off by the config alone: no name of a stack is the rehearsal's (F64)", async () => {
    for (const name of ["dev", "prod"]) {
      await asStack(name);
      assert.deepEqual(await ask(), { fault: "no rehearsal is named" });
      assert.equal(await readRehearsal({ throwAway: true }), undefined);
    }
  });

  it("gives its evidence", async () => {
    await asStack("prod");
    const view = await ask("o/openbao-migration/dev");
    assert.deepEqual(view, { stack: "o/openbao-migration/dev", evidence: evidence(RECENT) });
  });

  it("says why there is none, and ends nothing: the other findings are shown beside it", async () => {
    await asStack("prod");
    const fault = async (stack: string) => ((await ask(stack)) as { fault: string }).fault;
    assert.match(await fault("gone"), /^its outputs cannot be read: ./);
    assert.match(await fault("empty"), /exports no evidence/);
  });

  it("refuses the stack itself as its own rehearsal (F64)", async () => {
    await asStack("prod");
    const view = async (stack: string) => (await ask(stack)) as { fault: string };
    assert.match((await view("prod")).fault, /this stack itself/);
    assert.match((await view("organization/openbao-migration/prod")).fault, /this stack itself/);
    assert.match((await view("organization/other/prod")).fault, /cannot be read/);
  });
});

describe("config rehearsal", () => {
  it("is a stack's name, plain or with project and organization, and an age", () => {
    for (const stack of ["dev", "org/openbao-migration/dev", "a.b_c-d"])
      assert.equal(parseConfig({ stage: "network", rehearsal: { stack } }).ok, true, stack);
    for (const stack of ["", "-dev", "a b", "../dev", "a/b/c/d", "x\ny", "$(id)"])
      assert.equal(parseConfig({ stage: "network", rehearsal: { stack } }).ok, false, stack);
    const both = parseConfig({ stage: "network", rehearsal: { stack: "dev", throwAway: true } });
    assert.deepEqual(
      both.ok || both.findings.map(({ key, expected }) => [key, /or asks for one/.test(expected)]),
      [["openbao-migration:rehearsal.throwAway", true]],
    );
    for (const maxAgeHours of [0, 8761, 1.5])
      assert.equal(parseConfig({ stage: "network", rehearsal: { maxAgeHours } }).ok, false);
  });
});
