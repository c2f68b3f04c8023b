import { fakeServer } from "./fakeOpenBao";
import type { PlantedHazard } from "./plantedHazards";
import { RELEASE, ROOT_TOKEN, standaloneWorld, STATEFUL_SET, type World, NS } from "./snapshotBuilder";

const raftConfig = (join: string) => `listener "tcp" {
  address = "[::]:8200"
  tls_disable = 1
}
storage "raft" {
  path = "/openbao/data"
  ${join}
}
`;
const joining = (host: string) => `retry_join {\n    leader_api_addr = "http://${host}:8200"\n  }`;
const RAFT_CONFIG = raftConfig(joining("openbao-0.openbao-internal"));

export const NONE = { carry: "none", snapshot: { file: "/tmp/source.snap" } };
export const FROM_FILE = { carry: "restore", snapshot: { file: "/tmp/source.snap", from: "file" } };
export const RESEED = { carry: "reseed", reseed: { jobs: [{ name: "vault-config" }], discard: ["secret/"] } };

/** A source that is on Raft already, with one node. */
export function soleRaftWorld(): World {
  const world = standaloneWorld();
  const peer = {
    node_id: "openbao-0",
    address: "openbao-0.openbao-internal:8201",
    leader: true,
    voter: true,
  };
  world.servers["openbao-0"] = { ...fakeServer("raft", ROOT_TOKEN), peers: [peer] };
  world.patch(RELEASE, {
    spec: {
      values: {
        server: {
          standalone: { enabled: false, config: null },
          ha: { enabled: true, replicas: 1, raft: { enabled: true, setNodeId: true, config: RAFT_CONFIG } },
        },
      },
    },
  });
  return rendered(world, RAFT_CONFIG);
}

function rendered(world: World, config: string): World {
  world.kube.put(`${NS}/configmaps/openbao-config`, { data: { "extraconfig-from-values.hcl": config } });
  return world;
}

/** An entry of the program's journal. */
export function noted(world: World, step: string, observed: Record<string, unknown>): World {
  const entry = { time: "2026-11-20T08:00:00.000Z", holder: "me", step, beat: "done", observed };
  world.kube.put(`${NS}/configmaps/openbao-raft-migration-journal`, {
    data: { [`2026-11-20T080000.000Z.0.${step}.done`]: JSON.stringify(entry) },
  });
  return world;
}

/** What the data paths besides migrate can meet. */
export const carryHazards: readonly PlantedHazard[] = [
  {
    check: "carry-fits-storage",
    title: "carry none on file storage (H2)",
    config: NONE,
    plant: () => undefined,
    found: /storage "file"/,
  },
  {
    check: "carry-fits-storage",
    title: "carry none on a source that has followers already (F51)",
    config: NONE,
    world: soleRaftWorld,
    plant: (world) => world.patch(STATEFUL_SET, { spec: { replicas: 3 } }),
    found: /3 replica\(s\)/,
  },
  {
    check: "snapshot-fresh",
    title: "a snapshot at hand that is days old (F30)",
    config: FROM_FILE,
    plant: (world) => noted(world, "snapshot", { createdAt: "2026-11-20T08:00:00.000Z" }),
    found: /taken 97\.0 h ago/,
  },
  {
    check: "reseed-templates",
    title: "a Job to reseed with that is not there (I48)",
    config: RESEED,
    plant: () => undefined,
    found: /no CronJob "vault-config"/,
  },
  {
    check: "raft-join",
    title: "a source on Raft with the chart's own config, which names no leader (I29)",
    config: NONE,
    world: soleRaftWorld,
    plant: (world) => rendered(world, raftConfig("")),
    found: /retry_join names nobody/,
  },
  {
    check: "raft-join",
    title: "a source on Raft whose followers would join through the Service (I30)",
    config: NONE,
    world: soleRaftWorld,
    plant: (world) => rendered(world, raftConfig(joining("openbao.openbao.svc"))),
    found: /retry_join names openbao\.openbao\.svc/,
  },
  {
    check: "raft-join",
    title: "a source on Raft whose leader is filled in later (I29)",
    config: NONE,
    world: soleRaftWorld,
    plant: (world) => rendered(world, raftConfig(joining("${LEADER}"))),
    found: /retry_join names \?/,
  },
];
