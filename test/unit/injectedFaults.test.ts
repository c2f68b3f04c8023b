import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeLayout, nodeLayouts } from "../../rehearsal/cluster/layout";
import { cordonAndEvict, uncordonOurs } from "../../rehearsal/injected/cordon";
import { CUTS, cutNode, cutScript, healPackets } from "../../rehearsal/injected/packetFilter";
import { breakAuditPath, fillVolume, healVolumes } from "../../rehearsal/injected/volumes";
import { FakeKube } from "../support/fakeKube";

const NS = "/api/v1/namespaces/openbao";

describe("a cut between nodes (F44, F45, F47, F48)", () => {
  it("drops its port on the links to other nodes, and replaces the cut before it", () => {
    for (const what of CUTS)
      assert.match(cutScript(what), /^add table inet obr-fault\ndelete table inet obr-fault\ntable/);
    assert.match(
      cutScript("8201"),
      /forward .*iifname "eth0" tcp dport 8201 drop; oifname "eth0" tcp dport 8201 drop/,
    );
    assert.doesNotMatch(cutScript("8201-in"), /oifname/);
    assert.match(cutScript("node"), /hook input .*hook output .*hook forward/s);
  });

  it("is made in the node's own network, and taken away from every node by the next campaign", async () => {
    const scripts: string[] = [];
    const nft = (netns: string, script: string) => Promise.resolve(void scripts.push(`${netns}: ${script}`));
    await cutNode(nodeLayout(2), "8201", nft);
    await healPackets(nodeLayouts(), nft);
    assert.match(scripts[0]!, /^obr-node-2: .*dport 8201/s);
    const cleared = scripts.slice(1).map((text) => text.replace(/^obr-node-\d: /, ""));
    assert.deepEqual(new Set(cleared), new Set(["add table inet obr-fault\ndelete table inet obr-fault\n"]));
    assert.equal(cleared.length, 3);
  });
});

describe("a drained node (F40, F58)", () => {
  const nodes = () =>
    new FakeKube()
      .put("/api/v1/nodes/node-2", { spec: {} })
      .put(`${NS}/pods/openbao-0`, { spec: { nodeName: "node-2" } });

  it("is cordoned, its pods are asked to go, and a budget that holds one is no failure", async () => {
    const kube = nodes().fail("create", /openbao-1\/eviction$/, 429);
    kube.put(`${NS}/pods/openbao-1`, { spec: { nodeName: "node-2" } });
    kube.put(`${NS}/pods/openbao-2`, { spec: { nodeName: "node-3" } });
    await cordonAndEvict(kube, "node-2", "openbao");
    const asked = kube.writes.filter(({ verb }) => verb === "create").map(({ path }) => path);
    assert.deepEqual(asked.sort(), [`${NS}/pods/openbao-0/eviction`, `${NS}/pods/openbao-1/eviction`]);
  });

  it("is opened again by the next campaign, and one that a person cordoned stays so", async () => {
    const kube = nodes().put("/api/v1/nodes/node-3", { spec: { unschedulable: true } });
    await cordonAndEvict(kube, "node-2", "openbao");
    await uncordonOurs(kube);
    const spec = (name: string) => kube.peek<{ spec: object }>(`/api/v1/nodes/${name}`)?.spec;
    assert.deepEqual([spec("node-2"), spec("node-3")], [{}, { unschedulable: true }]);
  });
});

describe("a broken volume", () => {
  let volumes: string;
  let volume: string;
  const of = (type: number, bytes: number) =>
    (() => ({ type, bsize: 1, blocks: bytes })) as unknown as typeof statfsSync;
  const log = () => readFileSync(join(volume, "audit.log"), "utf8");
  beforeEach(() => {
    volumes = mkdtempSync(join(tmpdir(), "volumes-"));
    volume = join(volumes, "pvc-1");
    mkdirSync(join(volume, ".openbao-raft-migration"), { recursive: true });
  });
  afterEach(() => rmSync(volumes, { recursive: true }));

  it("has an audit log that nobody can open, and has it back after a campaign that was killed (F36)", () => {
    writeFileSync(join(volume, "audit.log"), "before\n");
    breakAuditPath(volume);
    assert.throws(log, /EISDIR/);
    healVolumes(volumes);
    healVolumes(volumes);
    assert.equal(log(), "before\n");
    assert.deepEqual(readdirSync(volume).sort(), [".openbao-raft-migration", "audit.log"]);
  });

  it("has none afterwards where there was none, and keeps one that a server made meanwhile", () => {
    breakAuditPath(volume);
    healVolumes(volumes);
    assert.deepEqual(readdirSync(volume), [".openbao-raft-migration"]);
    writeFileSync(join(volume, "audit.log"), "before\n");
    breakAuditPath(volume);
    rmSync(join(volume, "audit.log"), { recursive: true });
    writeFileSync(join(volume, "audit.log"), "meanwhile\n");
    healVolumes(volumes);
    assert.equal(log(), "meanwhile\n");
  });

  it("is filled only where it is a small file system of its own: the machine's disk never is (F33)", () => {
    // Without the program's folder nothing can be written, whatever the guard says.
    rmSync(join(volume, ".openbao-raft-migration"), { recursive: true });
    for (const disk of [of(0xef53, 1e6), of(0x01021994, 2 ** 31)])
      assert.throws(() => fillVolume(volume, disk), /no small file system of its own/);
  });

  it("gets no more than its size, should it be no such file system after all (F33)", () => {
    assert.equal(fillVolume(volume, of(0x01021994, 2 ** 20 + 5000)), 2 ** 20 + 4096);
  });

  it("has its room back after a campaign that was killed", () => {
    writeFileSync(join(volume, ".openbao-raft-migration", ".fault-filler"), "x");
    healVolumes(volumes);
    assert.deepEqual(readdirSync(join(volume, ".openbao-raft-migration")), []);
  });
});
