import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { parseConfig, type MigrationConfig } from "../../config";
import type { JournalEntry } from "../../components/cluster/journal";
import type { KubeClient } from "../../components/cluster/kubeClient";
import { landPlan } from "../../components/land/landPlan";
import { themesOf } from "../../components/land/themes";
import { readLiveConfig } from "../../components/liveConfig";
import { raftConfig } from "../../components/openBaoConfig/raftConfig";
import { HELM_RELEASE_FILE, PLATFORM_TREE } from "../../rehearsal/source/platformFiles";

const TEXT = readFileSync(join(PLATFORM_TREE, HELM_RELEASE_FILE), "utf8");
const FILE = 'listener "tcp" {\n  tls_disable = 1\n}\nstorage "file" {\n  path = "/d"\n}\n';
const MAP = { listener: { tcp: { tls_disable: 1 } }, storage: { file: { path: "/d" } } };
const NAMES = { release: "openbao", namespace: "openbao", replicas: 3 };

function configOf(more: object): MigrationConfig {
  const result = parseConfig({
    stage: "land",
    git: { checkout: "/srv/platform", helmRelease: HELM_RELEASE_FILE },
    ...more,
  });
  assert.ok(result.ok, JSON.stringify(result));
  return result.config;
}

/** What runs after the cutover, and what stage land writes, of the same source. */
async function bothConfigs(
  more: object,
  largest: number,
  since?: "backup",
): Promise<{ live: unknown; landed: unknown }> {
  const config = configOf(more);
  const kube = { get: () => Promise.resolve(parse(TEXT) as object) } as unknown as KubeClient;
  const copied = { step: "file-copy", beat: "done", observed: { largest } } as unknown as JournalEntry;
  const later = { step: "key-proof-cutover", beat: "done", observed: { largest } } as unknown as JournalEntry;
  const smaller = { ...copied, observed: { largest: 100 } };
  const live = await readLiveConfig(kube, config, since === "backup" ? [smaller, later] : [copied]);
  const plan = landPlan(config.git!, { ...config, largestFile: largest }, []);
  const before = new Map([[HELM_RELEASE_FILE, TEXT]]);
  const [theme] = themesOf(plan);
  const text = theme!.change(before).get(HELM_RELEASE_FILE) ?? "";
  type Release = { spec: { values: { server: { ha: { raft: { config: unknown } } } } } };
  return { live: live.raftConfig, landed: (parse(text) as Release).spec.values.server.ha.raft.config };
}

describe("Raft's limit and timing in the server config", () => {
  it("are written as text and as a map, and not at OpenBao's own values", () => {
    const tuned = { ...NAMES, maxEntrySize: 2_097_152, performanceMultiplier: 1 };
    assert.match(
      raftConfig(FILE, tuned) as string,
      /path = "\/d"\n {2}performance_multiplier = "1"\n {2}max_entry_size = "2097152"\n {2}retry_join/,
    );
    const { raft } = (raftConfig(MAP, tuned) as { storage: { raft: object } }).storage;
    assert.deepEqual(Object.keys(raft), ["path", "performance_multiplier", "max_entry_size", "retry_join"]);
    assert.doesNotMatch(raftConfig(FILE, NAMES) as string, /performance_multiplier|max_entry_size/);
  });

  it("are the same in Git as in the cluster: a landing must not take the limit away (I13)", async () => {
    const { live, landed } = await bothConfigs({ performanceMultiplier: 1 }, 2_000_000);
    assert.match(String(live), /performance_multiplier = "1"\n.*max_entry_size = "2097152"/);
    assert.equal(landed, live);
  });

  it("take in what was written since stage backup, as step key-proof-cutover saw it (I13)", async () => {
    const { live, landed } = await bothConfigs({}, 2_000_000, "backup");
    assert.match(String(live), /max_entry_size = "2097152"/);
    assert.equal(landed, live);
  });

  it("are left out on both sides where OpenBao's own are asked for", async () => {
    const { live, landed } = await bothConfigs({}, 1000);
    assert.doesNotMatch(String(live), /performance_multiplier|max_entry_size/);
    assert.equal(landed, live);
  });

  it("are refused outside OpenBao's range, by the key", () => {
    for (const performanceMultiplier of [0, 11, 1.5, "fast"]) {
      const result = parseConfig({ stage: "network", performanceMultiplier });
      assert.ok(!result.ok);
      assert.deepEqual(
        result.findings.map(({ key }) => key),
        ["openbao-migration:performanceMultiplier"],
      );
    }
    assert.throws(() => raftConfig(FILE, { ...NAMES, performanceMultiplier: 0 }), /performanceMultiplier 0/);
  });
});
