import assert from "node:assert/strict";
import type { ConfigResult, MigrationConfig } from "../../config";
import { checks } from "../../components/gate/checks";
import { judged } from "../../components/gate/judged";
import { blocks, formatReport, reportJson } from "../../components/gate/report";
import {
  configOf,
  JOURNAL,
  journalOf,
  raftWorld,
  standaloneWorld,
  STATEFUL_SET,
  type World,
} from "../support/snapshotBuilder";

const ok = (config: MigrationConfig): ConfigResult => ({ ok: true, config });

async function gateOf(world: World, values: Record<string, unknown> = {}) {
  const config = configOf(values);
  return judged(ok(config), config, await world.snapshot(config), checks);
}

describe("gate waivers", () => {
  const waive = (check: string, expires = "2026-12-31") => ({
    waivers: [{ check, reason: "agreed", expires }],
  });
  const webhookWorld = () =>
    standaloneWorld().patch(STATEFUL_SET, { spec: { template: { spec: { hostNetwork: true } } } });
  const quota = () => {
    const world = standaloneWorld();
    world.kube.put("/api/v1/namespaces/openbao/resourcequotas/q", {
      status: { hard: { services: "1" }, used: { services: "1" } },
    });
    return world;
  };

  it("let a check through, and show its reason and date", async () => {
    const { report } = await gateOf(quota(), waive("quota-room"));
    assert.equal(blocks(report), false);
    assert.match(formatReport(report), /WAIVED quota-room until 2026-12-31: q: services\. Reason: agreed\./);
  });

  it("hold on their last day, and not on the day after", async () => {
    assert.equal(blocks((await gateOf(quota(), waive("quota-room", "2026-11-24"))).report), false);
    const late = await gateOf(quota(), waive("quota-room", "2026-11-23"));
    assert.equal(late.report.rows.find((row) => row.check.id === "quota-room")?.outcome, "FAIL");
    assert.match(late.report.config[0]!.found, /expired 2026-11-23/);
  });

  it("are refused for a check that cannot be waived", async () => {
    const world = standaloneWorld();
    world.servers["openbao-0"]!.seal["sealed"] = true;
    const { report } = await gateOf(world, waive("source-unsealed"));
    assert.equal(report.rows.find((row) => row.check.id === "source-unsealed")?.outcome, "FAIL");
    assert.match(report.config[0]!.expected, /cannot/);
  });

  it("never let a half-done rollback through (F67)", async () => {
    const world = standaloneWorld();
    world.kube.put(JOURNAL, journalOf(["rollback-begin", "act"]));
    const { report } = await gateOf(world, waive("rollback-finished"));
    assert.equal(report.rows.find((row) => row.check.id === "rollback-finished")?.outcome, "FAIL");
    assert.match(report.config[0]!.expected, /this one cannot/);
  });

  it("are an error when nothing needs them, when nobody knows the check, and when given twice", async () => {
    assert.match(
      (await gateOf(standaloneWorld(), waive("quota-room"))).report.config[0]!.found,
      /which passes/,
    );
    assert.match(
      (await gateOf(standaloneWorld(), waive("no-such"))).report.config[0]!.expected,
      /id of a check/,
    );
    const one = waive("host-network").waivers[0]!;
    const twice = await gateOf(webhookWorld(), { waivers: [one, one] });
    assert.match(twice.report.config[0]!.found, /once more/);
  });

  it("end within 90 days", async () => {
    assert.deepEqual((await gateOf(quota(), waive("quota-room", "2027-02-22"))).report.config, []);
    const { config } = (await gateOf(quota(), waive("quota-room", "2027-02-23"))).report;
    assert.deepEqual(config, [
      {
        key: "openbao-migration:waivers[0]",
        found: 'check "quota-room", expires 2027-02-23',
        expected: "a day at most 90 days ahead, so 2027-02-22 or before",
        fix: "pulumi config set --path 'openbao-migration:waivers[0].expires' 2027-02-22",
      },
    ]);
  });

  it("are shown when nothing needs them, and on the way back too", async () => {
    const line = /WAIVER quota-room until 2026-12-31: not used \((.*?)\)\. Reason: agreed\./;
    const done = (await gateOf(raftWorld(), waive("quota-room"))).report;
    assert.equal(line.exec(formatReport(done))?.[1], "its check is DONE");
    assert.match(reportJson(done), /"waivers":\[\{"check":"quota-room"/);
    const back = (await gateOf(raftWorld(), { ...waive("quota-room"), rollback: true })).report;
    assert.equal(line.exec(formatReport(back))?.[1], "no check of this run");
  });

  it("are no error any more once their stage is done", async () => {
    assert.deepEqual((await gateOf(raftWorld(), waive("quota-room"))).report.config, []);
  });
});

describe("a token that may not look at itself (F27)", () => {
  const world = () => {
    const made = standaloneWorld();
    made.servers["openbao-0"]!.ttl = "forbidden";
    return made;
  };

  it("is met from stage network on, with the rule that helps", async () => {
    const { report } = await gateOf(world(), { stage: "network" });
    assert.equal(blocks(report), true);
    assert.match(
      formatReport(report),
      /token-lifetime: .*path "auth\/token\/lookup-self" \{ capabilities = \["read"\] \}/,
    );
  });

  it("can be waived, and its rights cannot", async () => {
    const waivers = [{ check: "token-lifetime", reason: "periodic", expires: "2026-12-31" }];
    assert.equal(blocks((await gateOf(world(), { stage: "network", waivers })).report), false);
    const ended = world();
    ended.servers["openbao-0"]!.token = "another";
    const refused = await gateOf(ended, {
      stage: "network",
      waivers: [{ ...waivers[0]!, check: "token-rights" }],
    });
    assert.equal(blocks(refused.report), true);
  });
});
