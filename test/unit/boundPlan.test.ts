import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bindPlan } from "../../components/gate/boundPlan";
import { judged, type Gate } from "../../components/gate/judged";
import { factDifferences, worldFacts } from "../../components/gate/worldFacts";
import { forms } from "../../rehearsal/leaks/leakScan";
import {
  configOf,
  NS,
  openPolicy,
  OWNER,
  POLICIES,
  RELEASE,
  ROOT_TOKEN,
  SECRET,
  standaloneWorld,
  STATEFUL_SET,
  UNSEAL_KEY,
  type World,
} from "../support/snapshotBuilder";

async function gateOf(world: World, values: Record<string, unknown> = {}): Promise<Gate> {
  const config = configOf(values);
  return judged({ ok: true, config }, config, await world.snapshot(config));
}

/** One thing moves between preview and update. */
const MOVES: readonly { fact: string; title: string; move: (world: World) => unknown }[] = [
  {
    fact: "pod openbao-0",
    title: "another pod of the same name",
    move: (world) => world.patch(`${NS}/pods/openbao-0`, { metadata: { uid: "another" } }),
  },
  {
    fact: "HelmRelease",
    title: "a new generation of the HelmRelease",
    move: (world) => world.patch(RELEASE, { spec: { values: { server: { logLevel: "debug" } } } }),
  },
  {
    fact: "key Secret",
    title: "a key Secret that was written",
    move: (world) => world.patch(SECRET, { metadata: { labels: { a: "b" } } }),
  },
  {
    fact: "StatefulSet",
    title: "another image",
    move: (world) =>
      world.patch(STATEFUL_SET, {
        spec: { template: { spec: { containers: [{ name: "openbao", image: "x/openbao:2.4.9" }] } } },
      }),
  },
  {
    fact: "server openbao-0",
    title: "a server that was sealed",
    move: ({ servers }) => Object.assign(servers["openbao-0"]!.seal, { sealed: true }),
  },
  {
    fact: "server openbao-0",
    title: "another storage behind the same name (I1)",
    move: ({ servers }) => Object.assign(servers["openbao-0"]!.seal, { storage_type: "raft" }),
  },
  {
    fact: "claim data-openbao-0",
    title: "another volume",
    move: (world) =>
      world.patch(`${NS}/persistentvolumeclaims/data-openbao-0`, { spec: { volumeName: "pv-other" } }),
  },
  {
    fact: "network policies",
    title: "a policy that was dropped",
    move: ({ kube }) => kube.drop(`${POLICIES}/default-deny`),
  },
  {
    fact: "writer infra",
    title: "a Kustomization that somebody suspended",
    move: (world) => world.patch(OWNER, { spec: { suspend: true } }),
  },
  {
    fact: "journal",
    title: "another run's step",
    move: ({ kube }) =>
      kube.put(`${NS}/configmaps/openbao-raft-migration-journal`, {
        data: { x: '{"time":"2026-11-24T09:00:00Z","step":"stop","beat":"act","observed":{}}' },
      }),
  },
  {
    fact: "rehearsal",
    title: "other evidence",
    move: (world) => {
      world.rehearsal = { fault: "gone" };
    },
  },
  {
    fact: "check nodes-for-replicas",
    title: "a check with another verdict",
    move: (world) => world.patch("/api/v1/nodes/node-2", { spec: { unschedulable: true } }),
  },
];

describe("an update that is bound to its preview", () => {
  let folder = "";
  let file = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bound-"));
    file = join(folder, "plan.json");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const preview = async (world: World, values = {}) =>
    bindPlan(await gateOf(world, values), { preview: true, stack: "prod", file });
  const update = async (world: World, values = {}) =>
    bindPlan(await gateOf(world, values), { preview: false, stack: "prod", file });

  it("goes on in the same world", async () => {
    const world = standaloneWorld();
    assert.deepEqual(await preview(world), []);
    assert.deepEqual(await update(world), []);
  });

  for (const { fact, title, move } of MOVES) {
    it(`is refused for ${title}, by name and with both values (F64)`, async () => {
      const world = openPolicy(standaloneWorld());
      await preview(world);
      move(world);
      const found = await update(world);
      const one = found.find((finding) => finding.key === `moved since the preview: ${fact}`);
      assert.ok(one !== undefined, JSON.stringify(found));
      assert.match(one.expected, /, as previewed at 2026-11-24T09:00:00\.000Z$/);
      assert.notEqual(one.expected.replace(/, as previewed at .*$/, ""), one.found);
      assert.match(one.fix, /^npm run stage -- prod verify/);
    });
  }

  it("is refused for a config that was edited in between (F66)", async () => {
    const world = standaloneWorld();
    await preview(world);
    const keys = (await update(world, { podTimeoutSeconds: 20 })).map((finding) => finding.key);
    assert.deepEqual(keys, ["moved since the preview: config"]);
  });

  it("is refused with the plan of another stage or stack, or with none (F64)", async () => {
    const world = standaloneWorld();
    await preview(world, { stage: "backup" });
    assert.match((await update(world))[0]!.found, /stack prod, stage backup/);
    for (const text of ["", "{}", "null", "[1]", '{"format":1,"facts":{}}']) {
      writeFileSync(file, text);
      assert.match((await update(world))[0]!.found, /cannot be read/);
    }
    rmSync(file);
    assert.match((await update(world))[0]!.found, /cannot be read/);
  });

  it("writes a file for the user alone, with no secret in it", async () => {
    await preview(standaloneWorld());
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const text = readFileSync(file, "utf8");
    for (const form of [UNSEAL_KEY, ROOT_TOKEN].flatMap(forms)) assert.ok(!text.includes(form));
  });

  it("is not asked for without the environment's word: plain preview and up judge anew", async () => {
    const gate = await gateOf(standaloneWorld());
    assert.deepEqual(bindPlan(gate, { preview: true, stack: "prod", file: "" }), []);
    assert.deepEqual(bindPlan(gate, { preview: false, stack: "prod", file: "" }), []);
  });

  it("tells facts that appear and go", () => {
    assert.deepEqual(factDifferences({ a: "1", b: "2" }, { b: "2", c: "3" }), [
      { fact: "a", before: "1", now: "absent" },
      { fact: "c", before: "absent", now: "3" },
    ]);
  });

  it("holds short texts only, whatever the cluster says", async () => {
    const world = standaloneWorld().patch(STATEFUL_SET, {
      spec: { template: { spec: { containers: [{ name: "openbao", image: "x".repeat(100_000) }] } } },
    });
    for (const [fact, text] of Object.entries(worldFacts(await gateOf(world)))) {
      assert.ok(fact.length < 300 && text.length < 600, fact);
    }
  });
});
