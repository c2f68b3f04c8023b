import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { parseConfig, type ConfigResult, type MigrationConfig } from "../../config";
import { checks } from "../../components/gate/checks";
import { assertGate, runGate } from "../../components/gate/gate";
import { judged } from "../../components/gate/judged";
import { takeSnapshot } from "../../components/gate/snapshot";
import { keyFingerprint } from "../../components/keyProof/proveKey";
import { blocks, formatReport, reportJson } from "../../components/gate/report";
import {
  configOf,
  journalled,
  openPolicy,
  raftWorld,
  RELEASE,
  ROOT_TOKEN,
  standaloneWorld,
  STATEFUL_SET,
  UNSEAL_KEY,
  type World,
} from "../support/snapshotBuilder";

const ok = (config: MigrationConfig): ConfigResult => ({ ok: true, config });

async function gateOf(world: World, values: Record<string, unknown> = {}, among = checks) {
  const config = configOf(values);
  return judged(ok(config), config, await world.snapshot(config), among);
}

/** What the world looks like after `pause`, `stop` and while the server is down. */
function stopped(): World {
  const world = openPolicy(standaloneWorld());
  world.patch(RELEASE, {
    metadata: { annotations: { "openbao-raft-migration/paused": "me" } },
    spec: { suspend: true },
  });
  world.patch(STATEFUL_SET, { spec: { replicas: 0 } });
  world.kube.drop("/api/v1/namespaces/openbao/pods/openbao-0");
  return world;
}

describe("gate", () => {
  it("knows the proven key again, (F24)", async () => {
    const fingerprint = keyFingerprint(UNSEAL_KEY, "store");
    const world = journalled(standaloneWorld(), "key-proof", { store: "store", fingerprint });
    const { report } = await gateOf(world, { stage: "cutover" });
    const row = report.rows.find((one) => one.check.id === "key-proven");
    assert.equal(row?.outcome, "PASS");
  });

  it("stops a cutover that goes on under another key than the proven one (F26)", async () => {
    const world = journalled(stopped(), "key-proof", { store: "store", fingerprint: "another" });
    const { report } = await gateOf(world, { stage: "cutover" });
    assert.equal(report.rows.find((one) => one.check.id === "key-proven")?.outcome, "FAIL");
    assert.equal(blocks(report), true);
  });

  it("changes nothing: it asks for rights, and for the time by a dry run", async () => {
    const world = standaloneWorld();
    await world.snapshot();
    const stored = world.kube.writes.filter(
      (write) => !write.path.endsWith("/selfsubjectaccessreviews") && write.query?.["dryRun"] !== "All",
    );
    assert.deepEqual(stored, []);
    const posts = world.opened.flatMap((bao) => bao.requests.filter((one) => !one.startsWith("GET ")));
    assert.deepEqual(posts, ["POST /v1/sys/capabilities-self"]);
  });

  it("freezes what it saw, and keeps no secret in it", async () => {
    const snapshot = await standaloneWorld().snapshot();
    assert.throws(() => ((snapshot as { takenAt: string }).takenAt = "x"), TypeError);
    assert.ok(
      Object.isFrozen(snapshot.keySecret) &&
        snapshot.keySecret.known &&
        Object.isFrozen(snapshot.keySecret.value),
    );
    const text = JSON.stringify(snapshot);
    for (const secret of [UNSEAL_KEY, ROOT_TOKEN]) {
      assert.ok(!text.includes(secret) && !text.includes(Buffer.from(secret).toString("base64")));
    }
  });

  it("takes a slow look for no skew of clocks (F60)", async () => {
    const world = standaloneWorld();
    let asked = 0;
    world.kube.answer("create", /configmaps$/, () => {
      asked = Date.now();
      return { metadata: {} };
    });
    const kube = Object.create(world.kube) as typeof world.kube;
    kube.find = () => new Promise<never>(() => undefined);
    const { now: _now, ...access } = world.access;
    const snapshot = await takeSnapshot(configOf(), { ...access, kube, groupTimeoutMs: 50 });
    assert.ok(Date.parse(snapshot.takenAt) <= asked, `${snapshot.takenAt}, asked ${asked}`);
  });

  it("ends within its bound when nothing answers", async () => {
    const world = standaloneWorld();
    const { access } = world;
    const never = new Promise<never>(() => undefined);
    const kube = Object.create(world.kube) as typeof world.kube;
    for (const verb of ["get", "find", "list", "create"] as const) kube[verb] = () => never;
    const started = Date.now();
    const gate = await runGate(ok(configOf()), { ...access, kube, groupTimeoutMs: 50 });
    assert.ok(Date.now() - started < 1000);
    assert.equal(blocks(gate.report), true);
    assert.match(formatReport(gate.report), /no answer within 50 ms/);
  });

  it("ends as a whole within its bound, whatever waits for what, and says so (F11)", async () => {
    const world = standaloneWorld();
    const kube = Object.create(world.kube) as typeof world.kube;
    for (const verb of ["get", "find", "list", "create"] as const)
      kube[verb] = () => new Promise<never>(() => undefined);
    const look = { ...world.access, kube, groupTimeoutMs: 400, lookTimeoutMs: 60 };
    const snapshot = await takeSnapshot(configOf(), look);
    assert.ok(snapshot.tookMs < 400, `${snapshot.tookMs} ms`);
    assert.deepEqual(snapshot.servers, {});
    const { report } = judged({ ok: true, config: configOf() }, configOf(), snapshot);
    const row = report.rows.find((one) => one.check.id === "api-reachable")!;
    assert.deepEqual(
      [row.outcome, row.judgement.found],
      ["UNKNOWN", "no answer before the look ended, after 60 ms"],
    );
  });

  it("says one cause once when there is no kubeconfig, beside the faults of the config", async () => {
    const raw = { stage: "cutovr", replicas: 2, namspace: "x", namespace: "vault" };
    const result = parseConfig(raw);
    const gate = await runGate(
      { ...result, raw },
      { why: 'context "x" is not there', openBao: () => assert.fail() },
    );
    assert.equal(gate.config.namespace, "vault");
    const text = formatReport(gate.report);
    for (const key of ["stage", "replicas", "namspace"])
      assert.match(text, new RegExp(`FAIL openbao-migration:${key}: found`));
    assert.equal(
      text.split("\n").filter((line) => line.startsWith("UNKNOWN ") && line.includes("not there")).length,
      2,
    );
  });

  it("judges the cluster though the config is broken, and shows both together", async () => {
    const world = standaloneWorld();
    world.servers["openbao-0"]!.seal["sealed"] = true;
    const raw = { stage: "moon", replicas: 4 };
    const gate = await runGate({ ...parseConfig(raw), raw }, world.access);
    const text = formatReport(gate.report);
    assert.match(text, /FAIL openbao-migration:stage/);
    assert.match(
      text,
      /FAIL source-unsealed: found openbao-0 is sealed\. Expected initialised and unsealed\. Risk: .* Fix: /,
    );
  });

  it("judges stage verify when stage land lacks its checkout", async () => {
    const raw = { stage: "land", namespace: "openbao" };
    const gate = await runGate({ ...parseConfig(raw), raw }, standaloneWorld().access);
    assert.equal(gate.config.stage, "verify");
    assert.match(formatReport(gate.report), /FAIL openbao-migration:git: found nothing/);
  });

  it("gives the same report in whatever order the checks come", async () => {
    const world = standaloneWorld();
    world.servers["openbao-0"]!.seal["version"] = "2.5.0";
    const straight = await gateOf(world);
    const turned = judged(ok(straight.config), straight.config, straight.snapshot, [...checks].reverse());
    assert.equal(formatReport(turned.report), formatReport(straight.report));
  });

  it("shows a fault of a later stage, and lets the configured one through", async () => {
    const world = standaloneWorld().patch("/api/v1/nodes/node-2", { spec: { unschedulable: true } });
    const gate = await gateOf(world, { stage: "network" });
    assert.equal(blocks(gate.report), false);
    assert.match(formatReport(gate.report), /LATER nodes-for-replicas: .*Stage replicas will ask for it/);
    assert.equal(blocks((await gateOf(world, { stage: "replicas" })).report), true);
  });

  it("names the stage that the world shows", async () => {
    assert.equal((await gateOf(standaloneWorld())).observed, "none");
    assert.equal((await gateOf(openPolicy(standaloneWorld()))).observed, "network");
    assert.equal((await gateOf(raftWorld())).observed, "replicas");
  });

  it("lets a cutover go on that was killed while the server was down", async () => {
    const gate = await gateOf(stopped(), { stage: "cutover" });
    assert.equal(blocks(gate.report), false, formatReport(gate.report));
  });

  it("lets a cutover go on that was killed before the first unseal on Raft", async () => {
    const world = stopped();
    const again = openPolicy(standaloneWorld());
    world.kube.put(
      "/api/v1/namespaces/openbao/pods/openbao-0",
      again.kube.peek("/api/v1/namespaces/openbao/pods/openbao-0")!,
    );
    world.patch(STATEFUL_SET, { spec: { replicas: 1 } });
    world.patch(RELEASE, {
      spec: { values: { server: { ha: { enabled: true, replicas: 1, raft: { enabled: true } } } } },
    });
    Object.assign(world.servers["openbao-0"]!, { health: 503, isLeader: false });
    Object.assign(world.servers["openbao-0"]!.seal, { storage_type: "raft", sealed: true });
    const gate = await gateOf(world, { stage: "cutover" });
    assert.equal(blocks(gate.report), false, formatReport(gate.report));
  });

  it("lets the replicas go on that were killed with a sealed follower", async () => {
    const world = raftWorld();
    world.servers["openbao-2"]!.up = false;
    for (const server of Object.values(world.servers)) server.peers = server.peers!.slice(0, 2);
    const gate = await gateOf(world, { stage: "replicas" });
    assert.equal(gate.observed, "cutover");
    assert.equal(blocks(gate.report), false, formatReport(gate.report));
  });

  it("stops in a RunError without a stack, and names nothing secret", async () => {
    const world = standaloneWorld();
    world.servers["openbao-0"]!.up = false;
    const { report } = await gateOf(world);
    await assert.rejects(assertGate(report), (error) => pulumi.RunError.isInstance(error));
    const text = formatReport(report) + reportJson(report);
    assert.ok(!text.includes(UNSEAL_KEY) && !text.includes(ROOT_TOKEN));
  });

  it("gives machines the same verdicts as people", async () => {
    const { report } = await gateOf(standaloneWorld());
    const json = JSON.parse(reportJson(report)) as {
      blocked: boolean;
      checks: { id: string; outcome: string }[];
    };
    assert.equal(json.blocked, false);
    assert.deepEqual(
      json.checks.map((check) => check.id),
      report.rows.map((row) => row.check.id),
    );
  });

  it("takes a check that throws for unknown, and stops", async () => {
    const broken = { ...checks[0]!, id: "broken", judge: () => assert.fail("secret text") };
    const gate = await gateOf(standaloneWorld(), {}, [broken]);
    assert.equal(blocks(gate.report), true);
    assert.ok(!formatReport(gate.report).includes("secret text"));
  });
});
