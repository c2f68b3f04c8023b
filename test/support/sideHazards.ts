import { mergePatch } from "./fakeKubeRules";
import type { PlantedHazard } from "./plantedHazards";
import { soleRaftWorld } from "./carryHazards";
import { BATCH, NS, openPolicy, raftWorld, RELEASE, STATEFUL_SET, type World } from "./snapshotBuilder";

const SLICE = "/apis/discovery.k8s.io/v1/namespaces/openbao/endpointslices/openbao-active-x";
const BUDGETS = "/apis/policy/v1/namespaces/openbao/poddisruptionbudgets";
const headless = (world: World, spec: object) => world.patch(`${NS}/services/openbao-internal`, { spec });

const route = (title: string, path: string, found: RegExp, spec: object): PlantedHazard => ({
  check: "plain-service-clients",
  title: `${title} to the plain Service (I7)`,
  plant: ({ kube }) =>
    kube
      .put(`/apis/${path}`, { spec })
      // The chart's own changes with its values.
      .put(`/apis/${path}-of-chart`, {
        metadata: {
          labels: { "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "openbao" },
        },
        spec,
      }),
  found,
});
const seeding = {
  jobTemplate: {
    spec: {
      template: { spec: { containers: [{ env: [{ name: "BAO_ADDR", value: "http://openbao:8200" }] }] } },
    },
  },
};
const unseen = (release: object) =>
  mergePatch(release, { status: { observedGeneration: 0 } }) as Record<string, unknown>;

/** The other sides of checks that look at more than one thing. */
export const sideHazards: readonly PlantedHazard[] = [
  {
    check: "headless-service",
    title: "a Service with a cluster IP, which answers for any pod (F49)",
    plant: (world) => headless(world, { clusterIP: "10.96.0.9" }),
    found: /^it has a cluster IP$/,
  },
  {
    check: "headless-service",
    title: "a headless Service without port 8201 (I15)",
    plant: (world) => headless(world, { ports: [{ port: 8200 }] }),
    found: /^no port 8201$/,
  },
  {
    check: "headless-service",
    title: "a Service that is not there (F49)",
    plant: ({ kube }) => kube.drop(`${NS}/services/openbao-internal`),
    found: /^no Service "openbao-internal"$/,
  },
  {
    check: "one-cluster",
    title: "two leaders under one cluster id (I28)",
    world: raftWorld,
    plant: ({ servers }) => Object.assign(servers["openbao-1"]!, { isLeader: true, health: 200 }),
    found: /^leaders openbao-0, openbao-1$/,
  },
  {
    check: "active-service",
    title: "two pods behind the active Service (I9)",
    world: raftWorld,
    plant: (world) =>
      world.patch(SLICE, {
        endpoints: [{ targetRef: { name: "openbao-0" } }, { targetRef: { name: "openbao-1" } }],
      }),
    found: /^2 behind openbao-active$/,
  },
  {
    check: "one-disruption-budget",
    title: "one budget that is not the chart's: the chart will make a second (I37)",
    plant: ({ kube }) =>
      kube.put(`${BUDGETS}/mine`, { spec: { maxUnavailable: 1, selector: { matchLabels: {} } } }),
    found: /^mine$/,
  },
  {
    check: "one-disruption-budget",
    title: "no budget after the move: the values switch the chart's off (I37)",
    plant: (world) =>
      world.patch(RELEASE, {
        spec: { values: { server: { ha: { disruptionBudget: { enabled: false } } } } },
      }),
    found: /^none$/,
  },
  {
    check: "one-disruption-budget",
    title: "a moved store without a budget, which the flip has not made (I37)",
    world: flippedWorld,
    plant: ({ kube }) => kube.drop(`${BUDGETS}/openbao`),
    found: /^none$/,
  },
  {
    check: "claims-outlive-scaling",
    title: "claims that go with the StatefulSet (F38)",
    plant: (world) =>
      world.patch(STATEFUL_SET, {
        spec: { persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete" } },
      }),
    found: /whenDeleted: Delete/,
  },
  {
    check: "release-settled",
    title: "a HelmRelease whose newest generation Flux has not seen yet (F53)",
    plant: ({ kube }) => kube.put(RELEASE, unseen(kube.peek(RELEASE)!)),
    found: /^Ready is True .*observed 0/,
  },
  route("an Ingress", "networking.k8s.io/v1/namespaces/openbao/ingresses/ui", /^Ingress ui$/, {
    rules: [{ http: { paths: [{ backend: { service: { name: "openbao" } } }] } }],
  }),
  route("an HTTPRoute", "gateway.networking.k8s.io/v1/namespaces/openbao/httproutes/ui", /^HTTPRoute ui$/, {
    rules: [{ backendRefs: [{ name: "openbao", port: 8200 }] }],
  }),
  {
    check: "plain-service-clients",
    title: "a CronJob that names the plain Service (I7)",
    plant: ({ kube }) => kube.put(`${BATCH}/cronjobs/seed`, { spec: { suspend: true, ...seeding } }),
    found: /^CronJob seed$/,
  },
];

/** One node on Raft, with the chart's budget: it lets none go. */
function flippedWorld(): World {
  const world = openPolicy(soleRaftWorld());
  world.kube.put(`${BUDGETS}/openbao`, { spec: { maxUnavailable: 0, selector: { matchLabels: {} } } });
  return world;
}
