import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubeObject } from "../../components/cluster/kubeClient";
import { raftLayer } from "../../components/raftLayer";
import { valuesRecord } from "../../components/steps/originalValues";
import { runBeats, type StepContext } from "../../components/steps/runStep";
import { pause } from "../../components/steps/scripts/pause";
import { PAUSED_ANNOTATION, UPGRADE_ANNOTATION } from "../../components/steps/world";
import { EmptyStoreWorld } from "./emptyStoreWorld";
import { FakeHelm } from "./fakeHelm";
import { fakeServer } from "./fakeOpenBao";
import { revisionPath } from "./helmRelease";
import { HelmWorld, STANDALONE } from "./helmWorld";
import { LandedWorld, OWNER as LANDED_OWNER } from "./landedWorld";
import { bounded, obeyed, type Path } from "./obeyedWorld";
import { OWNER, ownedRelease, RELEASE } from "./ownedRelease";
import { annotated, OLD_VALUES } from "./rollbackWorld";
import { RAFT_VALUES, StepWorld } from "./stepContext";
import { carryWorlds, scriptOf, worlds } from "./stepWorlds";

type Make = (world: StepWorld) => StepWorld | Promise<StepWorld>;

const ONE_REPLICA = { server: { ha: { ...RAFT_VALUES.server.ha, replicas: 1 } } };
const THREE_REPLICAS = { server: { ha: { ...RAFT_VALUES.server.ha, replicas: 3 } } };

/** Worlds in which a step comes further than to the first call of a kind, which the rights need. */
const further: Readonly<Record<string, Make>> = {
  oneReplica: (world) => world.release(ONE_REPLICA, true).rendered("file").carriedOver(),
  /** Somebody started the old server after the carry. */
  served: async (world) => {
    world.release(RAFT_VALUES, true).rendered("file").statefulSet(1, "rev-2");
    return (await world.done("carry", { generation: 0 })).done("flip");
  },
  sealed: async (world) => {
    world.release(RAFT_VALUES, true).onRaft({ sealed: true }).rendered("raft");
    return world.done("set-aside");
  },
  sealedFile: (world) => {
    Object.assign(world.servers["openbao-0"]!.seal, { sealed: true });
    return world.release(OLD_VALUES, true).rendered("file");
  },
  follows: (world) => {
    const ordinal = Number(world.context.input.step.at(-1));
    world.release(THREE_REPLICAS, true).onRaft();
    world.servers["openbao-0"]!.peers = peers(3).map((one) => ({ ...one, voter: one.leader }));
    return world.statefulSet(ordinal || 3);
  },
  voters: async (world) => {
    world.release(THREE_REPLICAS, true).onRaft().statefulSet(3);
    for (const n of [0, 1, 2]) {
      world.servers[`openbao-${n}`] = {
        ...fakeServer("raft", "test-token"),
        isLeader: n === 0,
        peers: peers(3),
      };
    }
    Object.assign(world.context.input, { cleanup: { fileData: "data-openbao-0" } });
    if (!world.context.input.step.startsWith("cleanup")) return world;
    await world.done("resume");
    return world.done("compare-verify", { lost: 0, regressed: 0 });
  },
  /** The follower that joins is opened by two keys at once. */
  joins: (world) => {
    world.kube.answer("text", /log$/, () => "core: entering standby mode\n".repeat(2));
    return further["follows"]!(world);
  },
  /** No node says that it leads. */
  leaderless: (world) => {
    world.release(RAFT_VALUES, true).onRaft();
    Object.assign(world.servers["openbao-0"]!, { isLeader: false });
    return world;
  },
  begins: (world) => world.release(OLD_VALUES).statefulSet(0).noPod(),
  servesFiles: async (world) => {
    for (const n of [1, 2]) {
      world.kube.put(`/api/v1/namespaces/openbao/persistentvolumeclaims/data-openbao-${n}`, {});
    }
    world.release(OLD_VALUES, true).rendered("file");
    await world.kube.mergePatch(RELEASE, { metadata: { annotations: { [UPGRADE_ANNOTATION]: null } } });
    return world.wrote("rollback-begin", "act");
  },
  reseeds: async (world) => {
    world.release(RAFT_VALUES, true).onRaft();
    const batch = "/apis/batch/v1/namespaces/openbao";
    const spec = { template: { spec: { containers: [] } } };
    world.kube.put(`${batch}/cronjobs/fill`, { spec: { jobTemplate: { spec } } });
    world.kube.put(`${batch}/jobs/seed`, { spec });
    // An earlier run's, which failed.
    const status = { conditions: [{ type: "Failed", status: "True" }] };
    for (const name of ["0-fill", "1-seed"])
      world.kube.put(`${batch}/jobs/openbao-reseed-${name}`, { status });
    for (const step of ["set-aside", "init", "restore"]) await world.done(step);
    return world;
  },
  /** Resumed, by a Kustomization in which the count is written itself. */
  landedOwned: async (world) => {
    await LandedWorld.make(true, world);
    if (world.context.input.step !== "resume") return world;
    const marks = { [PAUSED_ANNOTATION]: "tester" };
    const path = LANDED_OWNER;
    for (const at of [RELEASE, path]) {
      const object = world.kube.peek<KubeObject & { spec: object }>(at)!;
      world.kube.put(at, {
        ...object,
        metadata: { ...object.metadata, annotations: marks },
        spec: {
          ...object.spec,
          suspend: true,
          ...(at === path && { postBuild: { substitute: { openbao_replicas: "1" } } }),
        },
      } as never);
    }
    const { lastAppliedRevision } = world.kube.peek<{ status: { lastAppliedRevision: string } }>(
      path,
    )!.status;
    world.kube.put("/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/flux-system", {
      spec: { suspend: true },
      status: { artifact: { revision: lastAppliedRevision } },
    } as never);
    return world;
  },
  goesBack: async (world) => {
    world.onRaft().release(RAFT_VALUES, true).rendered("raft").statefulSet(3);
    annotated(world, valuesRecord({ spec: { values: OLD_VALUES } }));
    return world.wrote("rollback-begin", "act");
  },
  wentBack: async (world) => {
    world.release(RAFT_VALUES, true).rendered("raft").statefulSet(0).noPod();
    annotated(world, valuesRecord({ spec: { values: OLD_VALUES } }));
    await world.wrote("rollback-begin", "act");
    return world.done("rollback-swap");
  },
  owned: (world) => {
    world.kube.put(
      RELEASE,
      ownedRelease({ values: world.context.input.step === "pause" ? {} : RAFT_VALUES }),
    );
    world.kube.put(OWNER, { metadata: { name: "apps" }, spec: {} });
    world.kube.put("/apis/batch/v1/namespaces/openbao/cronjobs/backup", { spec: {} });
    return world;
  },
  ownedPaused: async (world) => {
    world.kube.put(RELEASE, ownedRelease({ values: THREE_REPLICAS }));
    world.kube.put(OWNER, { metadata: { name: "apps" }, spec: {} });
    world.kube.put("/apis/batch/v1/namespaces/openbao/cronjobs/backup", { spec: {} });
    const labels = { "openbao-raft-migration/inventory": "cutover" };
    world.kube.put("/api/v1/namespaces/openbao/secrets/openbao-raft-migration-inventory-cutover", {
      metadata: { labels },
    });
    const input = { ...world.context.input, step: "pause" };
    await runBeats(pause, { ...world.context, input });
    world.onRaft().statefulSet(3);
    return world.done("land-git");
  },
  /** Its Kustomization says the old values. */
  takesBack: async (world) => {
    await further["ownedPaused"]!(world);
    world.kube.onWrite(({ path, body }) => {
      if (path !== OWNER || (body as { spec: object }).spec === undefined) return;
      if ((body as { spec: { suspend?: boolean } }).spec.suspend === true) return;
      const release = world.kube.peek<KubeObject & { spec: object }>(RELEASE)!;
      world.kube.put(RELEASE, { ...release, spec: { ...release.spec, values: OLD_VALUES } } as never);
    });
    return world;
  },
};

function peers(count: number) {
  return Array.from({ length: count }, (_, n) => ({
    node_id: `openbao-${n}`,
    address: `openbao-${n}.openbao-internal:8201`,
    leader: n === 0,
    voter: true,
  }));
}

/** One arrangement for one run; `end` takes its files away. */
export interface FenceWorld {
  readonly name: string;
  /** It changes this process's PATH: no other of its kind may run beside it. */
  readonly alone?: boolean;
  make(): Promise<Made>;
}

interface Made {
  readonly context: StepContext;
  /** How often another program has acted. */
  outside?(): number;
  end?(): void;
}

/** All worlds of a step of that path. */
export function fenceWorlds(step: string, path: Path): FenceWorld[] {
  const all: Record<string, Make> = { ...worlds, ...(path !== undefined && carryWorlds), ...further };
  return [
    ...Object.entries(all).map(([name, make]) => ({
      name: `carry ${path ?? "migrate"}, ${name}`,
      make: async () => ({ context: obeyed(await make(new StepWorld(step)), path) }),
    })),
    ...(step === "restore" || step === "init" ? [emptyStore(step, false), emptyStore(step, true)] : []),
    ...(path === undefined && BY_HELM.includes(step) ? HELM.map((one) => byHelm(step, one)) : []),
    ...(step === "final-snapshot" ? [copied()] : []),
  ];
}

function emptyStore(step: "restore" | "init", begun: boolean): FenceWorld {
  return {
    name: begun ? "emptyBegun" : "empty",
    async make() {
      const empty = await new EmptyStoreWorld(step === "init" ? "reseed" : "restore").ready();
      if (begun) {
        const died = bounded(empty.context);
        empty.server.after.push((name) => {
          if (name === "PUT /v1/sys/init") throw new Error("killed here");
        });
        await runBeats(await scriptOf(step), died).catch(() => undefined);
        empty.server.after.length = 0;
      }
      // So long that a wrong key is given three times, and called wrong, also on a busy machine.
      return { context: bounded(empty.context, {}, 10), end: () => empty.remove() };
    },
  };
}

const SECRETS = "/api/v1/namespaces/openbao/secrets";
const BY_HELM = ["flip", "apply-replicas", "resume", "rollback-values"];

/** Helm rests; or was killed in an upgrade of an earlier run; or ends one while the step waits for that. */
const HELM = ["rests", "killed", "ends"] as const;

function byHelm(step: string, state: (typeof HELM)[number]): FenceWorld {
  return {
    name: `helm ${state}`,
    alone: true,
    async make() {
      const helm = new FakeHelm();
      const back = step === "rollback-values";
      const world = (await new HelmWorld(step).carried()).applying(helm, back ? "file" : "raft");
      if (back) {
        const { server } = raftLayer('storage "raft" {}', "helm");
        world.has({ revision: 5, values: { server: { ...STANDALONE.server, ...server } }, ours: true });
        world.kube.drop(revisionPath(4));
        await world.world.done("rollback-swap");
      }
      if (step === "resume") await world.world.done("land-git");
      if (step === "apply-replicas") {
        world.layer("replicas", { server: { ha: { replicas: 3 } } });
        world.world.statefulSet(3);
      }
      const next = { revision: back ? 6 : 5, ours: true, values: STANDALONE };
      if (state !== "rests") world.has({ ...next, status: "pending-upgrade" });
      if (state === "ends") {
        const { kube } = world;
        kube.answer("get", SECRETS, () => {
          // Read twice, one straight after the other: the wait for its end.
          if (kube.reads.at(-2) === SECRETS) world.has({ ...next, status: "deployed" });
          return undefined;
        });
      }
      const outside = () => helm.calls.filter(({ args }) => args[0] === "upgrade").length;
      return { context: bounded(world.context(step)), outside, end: () => helm.remove() };
    },
  };
}

/** A stopped Raft store, of which a Job is to serve a copy. */
function copied(): FenceWorld {
  return {
    name: "copied",
    async make() {
      const folder = mkdtempSync(join(tmpdir(), "fence-"));
      const world = await carryWorlds["raftStopped"]!(new StepWorld("final-snapshot"));
      const snapshot = { file: join(folder, "source.snap"), from: "source" as const, maxAgeHours: 24 };
      const context = obeyed(world, "restore");
      const end = () => rmSync(folder, { recursive: true, force: true });
      return { context: { ...context, input: { ...context.input, snapshot } as StepContext["input"] }, end };
    },
  };
}
