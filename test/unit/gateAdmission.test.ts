import assert from "node:assert/strict";
import type { V1Job, V1Pod } from "@kubernetes/client-node";
import { checks } from "../../components/gate/checks";
import { podNeeds, quotaView, shortages } from "../../components/gate/quota";
import { takeSnapshot } from "../../components/gate/snapshot";
import { startProbes } from "../../components/steps/networkProbe";
import { followerPod } from "../../components/steps/plannedPods";
import { probePods } from "../../components/steps/probePods";
import fileCopy from "../../components/steps/scripts/fileCopy";
import { refuse } from "../support/admissionHazards";
import { gateRow } from "../support/gateRow";
import {
  configOf,
  journalled,
  NS,
  raftWorld,
  standaloneWorld,
  STATEFUL_SET,
  type World,
} from "../support/snapshotBuilder";
import { StepWorld } from "../support/stepContext";
import { node, statefulSet } from "../support/workloadObjects";

const JOBS = "/apis/batch/v1/namespaces/openbao/jobs";

/** What was sent as a dry run, by kind and name. */
async function dryRuns(world: World, values: Record<string, unknown> = {}) {
  await world.snapshot(configOf(values));
  const sent = world.kube.writes.filter(
    ({ path, query }) => /\/(pods|jobs)$/.test(path) && query?.["dryRun"] === "All",
  );
  return sent.map(({ body }) => body as V1Pod | V1Job);
}

const nameOf = ({ metadata }: V1Pod | V1Job) => metadata?.name ?? metadata?.generateName;

describe("the gate's dry runs (F59)", () => {
  it("send every pod and Job of the stages, and store none", async () => {
    const world = standaloneWorld();
    const sent = await dryRuns(world);
    assert.deepEqual(
      sent.map((one) => `${one.kind} ${nameOf(one)}`),
      [
        ...[0, 1, 2].flatMap((n) => [`Pod openbao-raft-probe-${n}`, `Pod openbao-raft-probe-client-${n}`]),
        ...["file-copy", "key-proof", "carry"].flatMap((name) => [
          `Job openbao-raft-${name}`,
          `Pod openbao-raft-${name}-`,
        ]),
        "Pod openbao-1-admission-",
      ],
    );
    assert.equal(world.kube.peek(`${NS}/pods/openbao-raft-probe-0`), undefined);
  });

  for (const [carry, names] of [
    ["restore", ["final-snapshot", "set-aside"]],
    ["reseed", ["set-aside"]],
    ["none", []],
  ] as const) {
    it(`send the Jobs of carry ${carry}`, async () => {
      const more = carry === "reseed" ? { reseed: { jobs: [{ kind: "Job", name: "seed" }] } } : {};
      const snapshot = carry === "reseed" ? {} : { snapshot: { file: "/tmp/one.snap" } };
      const sent = await dryRuns(standaloneWorld(), { carry, ...more, ...snapshot });
      assert.deepEqual(
        sent.filter((one) => one.kind === "Job").map(nameOf),
        names.map((name) => `openbao-raft-${name}`),
      );
    });
  }

  it("send the Job that step file-copy creates, word for word", async () => {
    const { kube, context } = new StepWorld("file-copy");
    kube.put(STATEFUL_SET, statefulSet(1));
    let made: unknown;
    kube.answer("create", JOBS, (_path, _query, body) => {
      made = body;
      throw new Error("seen");
    });
    const input = { ...context.input, copyTimeoutSeconds: configOf().copyTimeoutSeconds };
    await assert.rejects(fileCopy.act({ ...context, input }), /seen/);
    const world = standaloneWorld().patch(`${NS}/pods/openbao-0`, { spec: { nodeName: "node-1" } });
    const sent = (await dryRuns(world)).find((one) => nameOf(one) === "openbao-raft-file-copy");
    assert.deepEqual(sent, made);
  });

  it("send the probe pods that step network-probe creates, word for word", async () => {
    const { kube, context } = new StepWorld("network-probe");
    kube.waitFor = () => Promise.resolve(undefined);
    const set = { metadata: { name: "openbao" }, ...statefulSet(1) };
    await startProbes(context, probePods(set as never, [node(0), node(1), node(2)], 3));
    const servers = kube.writes
      .map(({ body }) => body as V1Pod)
      .filter((pod) => /probe-\d$/.test(nameOf(pod)!));
    const sent = (await dryRuns(standaloneWorld())).filter((pod) => /probe-\d$/.test(nameOf(pod)!));
    assert.equal(servers.length, 3);
    assert.deepEqual(sent, servers);
  });

  it("send a follower as its controller makes it, out of the Services' reach", () => {
    const set = { metadata: { name: "openbao" }, ...statefulSet(1) };
    const { metadata, spec } = followerPod(set as never, 1).manifest as V1Pod;
    assert.deepEqual(metadata?.labels, {
      "app.kubernetes.io/name": "openbao",
      "app.kubernetes.io/instance": "openbao",
    });
    assert.deepEqual(
      spec?.volumes?.map(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName),
      ["data-openbao-1", "audit-openbao-1"],
    );
    assert.deepEqual([spec?.hostname, spec?.subdomain], ["openbao-1", "openbao-internal"]);
  });

  it("take a namesake that a killed run left for admitted: the name is looked at last", async () => {
    const world = refuse(standaloneWorld(), /^openbao-raft-probe-0$/, "exists", {
      status: 409,
      reason: "AlreadyExists",
    });
    assert.equal((await gateRow(world, "probe-pods-admitted")).outcome, "PASS");
  });

  it("do not take a failing webhook, or a conflict, for admitted", async () => {
    for (const [status, reason] of [
      [500, "InternalError"],
      [409, "Conflict"],
      [0, "NoAnswer"],
    ] as const) {
      const world = refuse(standaloneWorld(), /^openbao-raft-carry$/, "failed", { status, reason });
      assert.equal((await gateRow(world, "cutover-jobs-admitted")).outcome, "UNKNOWN", reason);
    }
  });

  it("never repeat a value of the server's variables", async () => {
    const world = standaloneWorld();
    const env = [{ name: "TOKEN", value: "canary-in-a-variable" }];
    const containers = [{ name: "openbao", image: "quay.io/openbao/openbao:2.4.0", env }];
    world.patch(STATEFUL_SET, { spec: { template: { spec: { containers } } } });
    refuse(world, /^openbao-1-/, 'env[0]: Invalid value: "canary-in-a-variable"', {
      status: 422,
      reason: "Invalid",
    });
    const row = await gateRow(world, "followers-admitted");
    assert.match(row.found, /Invalid value: "\.\.\."$/);
  });

  it("can be waived where a webhook takes none", async () => {
    const world = refuse(standaloneWorld(), /^openbao-raft-carry$/, "does not support dry run", {
      status: 400,
      reason: "BadRequest",
    });
    const waivers = [{ check: "cutover-jobs-admitted", reason: "mesh", expires: "2026-12-31" }];
    assert.equal((await gateRow(world, "cutover-jobs-admitted", { waivers })).outcome, "WAIVED");
  });

  it("ask nothing more once the work is done", async () => {
    const world = refuse(standaloneWorld(), /./, "no");
    assert.equal(
      (await gateRow(journalled(world, "network-probe", {}), "probe-pods-admitted")).outcome,
      "NONE",
    );
    assert.equal((await gateRow(journalled(world, "carry", {}), "cutover-jobs-admitted")).outcome, "NONE");
  });

  it("end in the look's bound when a webhook hangs (F11)", async () => {
    const world = standaloneWorld();
    const kube = Object.create(world.kube) as typeof world.kube;
    kube.create = (path, body, query) =>
      path.endsWith("/pods") ? new Promise<never>(() => undefined) : world.kube.create(path, body, query);
    const snapshot = await takeSnapshot(configOf(), { ...world.access, kube, groupTimeoutMs: 30 });
    assert.deepEqual(snapshot.admission, {
      known: false,
      why: "the dry runs of pods and Jobs: no answer within 120 ms",
    });
  });
});

describe("room in ResourceQuotas (F59)", () => {
  const quota = (hard: Record<string, string>, spec: object = {}) =>
    quotaView({ metadata: { name: "q" }, spec, status: { hard, used: {} } });
  const pod = (resources: object, more: object = {}) =>
    podNeeds({ spec: { containers: [{ resources }], ...more } });
  const cpu = (amount: string) => pod({ requests: { cpu: amount }, limits: { cpu: amount } });

  it("counts the requests that a LimitRange gives, as the dry run shows them", async () => {
    const world = standaloneWorld();
    world.kube
      .put(`${NS}/resourcequotas/cpu`, {
        status: { hard: { "requests.cpu": "1" }, used: { "requests.cpu": "500m" } },
      })
      .answer("create", `${NS}/pods`, (_path, _query, body) => {
        const made = structuredClone(body) as V1Pod;
        for (const one of made.spec!.containers) one.resources = { requests: { cpu: "300m" } };
        return made;
      });
    const row = await gateRow(world, "followers-quota");
    assert.equal(row.found, "cpu: requests.cpu, 0.5 left, 0.6 needed");
  });

  it("lets the exact amount through, and stops at a little less", () => {
    assert.deepEqual(shortages([quota({ cpu: "1" })], [cpu("500m"), cpu("500m")]), []);
    assert.deepEqual(shortages([quota({ cpu: "999m" })], [cpu("500m"), cpu("500m")]), [
      "q: cpu, 0.999 left, 1 needed",
    ]);
  });

  it("takes the larger of init containers and containers, and adds those that stay", () => {
    const [small, large] = [{ requests: { cpu: "1" } }, { requests: { cpu: "3" } }];
    assert.equal(pod(small, { initContainers: [{ resources: large }] }).amounts["cpu"], 3);
    const stays = { initContainers: [{ resources: large, restartPolicy: "Always" }] };
    assert.equal(pod(small, stays).amounts["cpu"], 4);
  });

  it("asks a quota with scopes only for the pods in them", () => {
    const none = { pods: "0" };
    const scoped = (...scopes: string[]) => quota(none, { scopes });
    const high = { scopeName: "PriorityClass", operator: "In", values: ["high"] };
    const classes = quota(none, { scopeSelector: { matchExpressions: [high] } });
    const effort = pod({});
    assert.equal(shortages([scoped("BestEffort")], [effort]).length, 1);
    assert.equal(shortages([scoped("NotBestEffort"), scoped("Terminating"), classes], [effort]).length, 0);
    assert.equal(shortages([scoped("NotBestEffort", "NotTerminating")], [cpu("1")]).length, 1);
    assert.equal(shortages([classes], [pod({}, { priorityClassName: "high" })]).length, 1);
  });

  it("needs nothing for servers that are there", async () => {
    const world = raftWorld();
    world.kube.put(`${NS}/resourcequotas/all`, {
      status: {
        hard: { pods: "3", persistentvolumeclaims: "6" },
        used: { pods: "3", persistentvolumeclaims: "6" },
      },
    });
    const config = configOf();
    const judgement = checks
      .find(({ id }) => id === "followers-quota")!
      .judge(await world.snapshot(config), config);
    assert.equal(judgement.verdict, "pass");
  });
});
