import type { V1Pod } from "@kubernetes/client-node";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { selectorTakes } from "../../components/gate/selector";
import { networkPolicyObject } from "../../components/raftPolicyObjects";
import { startProbes } from "../../components/steps/networkProbe";
import { probeClient, probePods } from "../../components/steps/probePods";
import networkProbe from "../../components/steps/scripts/networkProbe";
import { StepWorld } from "../support/stepContext";
import { LABELS, node, statefulSet } from "../support/workloadObjects";

const PODS = "/api/v1/namespaces/openbao/pods";
const SET = statefulSet(1) as never;
const NAME = "http://openbao-0.openbao-internal:8200";

describe("the wait for the probe pods", () => {
  it("is podTimeoutSeconds: a node that must pull the image first takes its time", async () => {
    const { kube, context } = new StepWorld("network-probe");
    const waits: (number | undefined)[] = [];
    kube.waitFor = (_path, _name, _ready, options) => {
      waits.push(options?.timeoutSeconds);
      return Promise.resolve(undefined);
    };
    const probes = probePods(SET, [node(0), node(1)], 2);
    await startProbes({ ...context, input: { ...context.input, podTimeoutSeconds: 1234 } }, probes);
    assert.deepEqual(waits, [1234, 1234]);
  });
});

describe("the pods of the probe", () => {
  async function started(): Promise<V1Pod[]> {
    const { kube, context } = new StepWorld("network-probe");
    kube.put("/apis/apps/v1/namespaces/openbao/statefulsets/openbao", statefulSet(1));
    kube.waitFor = (_path, name) =>
      Promise.resolve({ status: { podIP: `10.0.0.${String(name).at(-1)}` } } as never);
    await startProbes(context, probePods(SET, [node(0), node(1), node(2)], 3));
    return kube.writes.map(({ body }) => body as V1Pod);
  }

  it("are the server's to the policies, and no Service's endpoints: clients would be sent there (H4)", async () => {
    const pods = await started();
    assert.equal(pods.length, 6);
    const policy = networkPolicyObject({ namespace: "openbao", release: "openbao" }, ["Ingress", "Egress"]);
    for (const { metadata } of pods) {
      assert.equal(selectorTakes(policy.spec.podSelector, metadata?.labels ?? {}), true, metadata?.name);
      // Every Service of the chart selects by these, and with publishNotReadyAddresses by nothing else.
      assert.equal(selectorTakes({ matchLabels: LABELS }, metadata?.labels ?? {}), false, metadata?.name);
    }
  });

  it("dial each other node on both ports, so that every pair is tried in both directions (F44)", async () => {
    const dialled = (await started())
      .filter(({ metadata }) => metadata?.name?.includes("client"))
      .map(({ spec }) => spec?.containers[0]?.env?.find(({ name }) => name === "PROBE_TARGETS")?.value);
    assert.deepEqual(dialled, [
      "10.0.0.1:8200 10.0.0.1:8201 10.0.0.2:8200 10.0.0.2:8201",
      "10.0.0.0:8200 10.0.0.0:8201 10.0.0.2:8200 10.0.0.2:8201",
      "10.0.0.0:8200 10.0.0.0:8201 10.0.0.1:8200 10.0.0.1:8201",
    ]);
  });
});

describe("the nodes of the probe", () => {
  it("are those on which the server's own pods fit: ready, open, selected, tolerated (I42)", () => {
    const nodes = [0, 1, 2, 3, 4, 5].map((n) => node(n) as Record<string, Record<string, unknown>>);
    nodes[0]!["status"] = { conditions: [{ type: "Ready", status: "False" }] };
    nodes[1]!["spec"] = { unschedulable: true };
    nodes[2]!["spec"] = { taints: [{ key: "gpu", value: "", effect: "NoSchedule" }] };
    nodes[3]!["spec"] = { taints: [{ key: "vault", value: "", effect: "NoSchedule" }] };
    for (const n of [3, 4]) Object.assign(nodes[n]!["metadata"]!["labels"] as object, { pool: "vault" });
    const set = structuredClone(SET) as { spec: { template: { spec: object } } };
    Object.assign(set.spec.template.spec, {
      tolerations: [{ key: "vault", operator: "Exists" }],
      nodeSelector: { pool: "vault" },
    });
    assert.deepEqual(
      probePods(set as never, nodes, 6).map((probe) => probe.node),
      ["node-3", "node-4"],
    );
  });
});

describe("the probe's client, run by a real shell", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "probe-"));
    writeFileSync(join(dir, "ca.crt"), "CA");
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  /** @param bao what bao does with its address in $2 */
  function run(bao: string, pod: V1Pod, api = "10.96.0.1"): string[] {
    writeFileSync(
      join(dir, "bao"),
      `#!/bin/sh\necho "$*" >> ${dir}/calls\ncase "$2" in\n${bao}\nesac\nexit 1\n`,
      {
        mode: 0o755,
      },
    );
    const container = pod.spec!.containers[0]!;
    const env = Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value]));
    const [file = "", ...args] = container.command ?? [];
    const done = spawnSync(file, args, {
      env: {
        ...env,
        PROBE_API_CA: join(dir, "ca.crt"),
        KUBERNETES_SERVICE_HOST: api,
        KUBERNETES_SERVICE_PORT: "443",
        PATH: [dir, process.env["PATH"]].join(delimiter),
      },
      encoding: "utf8",
    });
    assert.equal(done.status, 0, done.stderr);
    return done.stdout.trim().split("\n");
  }

  const client = (url = NAME) =>
    probeClient(SET, 0, "node-0", { targets: ["10.0.0.1:8200", "10.0.0.1:8201"], server: { url } });
  const API_ANSWERS = `*https://*) echo 'Error checking seal status: Error making API request.

URL: GET https://10.96.0.1:443/v1/sys/seal-status
Code: 403. Raw Message:

{"kind":"Status"}' >&2; exit 1;;`;

  it("tells open from blocked, and takes any HTTP code of the API server for an answer (I10)", () => {
    const bao = `*:8200) exit 2;;\n${API_ANSWERS}`;
    assert.deepEqual(run(bao, client()), [
      "open 10.0.0.1:8200",
      "blocked 10.0.0.1:8201",
      `named ${NAME}`,
      "api-open https://10.96.0.1:443",
      "complete",
    ]);
  });

  it("says why the name or the API server does not answer (F49, I10)", () => {
    const bao = `*openbao-0*) printf 'dial tcp:\\nlookup openbao-0: no such host' >&2; exit 1;;
*https*) echo 'dial tcp [fd00::1]:443: i/o timeout' >&2; exit 1;;
*) exit 0;;`;
    assert.deepEqual(run(bao, client(), "fd00::1").slice(2), [
      `unnamed ${NAME} dial tcp: lookup openbao-0: no such host`,
      "api-closed https://[fd00::1]:443 dial tcp [fd00::1]:443: i/o timeout",
      "complete",
    ]);
  });

  it("trusts a TLS listener only by its own CA and name (F61), and mounts both", () => {
    const tls = { serverName: "bao.example", caSecret: "bao-ca", caKey: "tls.crt" };
    const pod = probeClient(SET, 0, "node-0", { targets: [], server: { url: NAME, tls } });
    assert.deepEqual(run(`*) exit 0;;`, pod)[0], `named ${NAME}`);
    const calls = spawnSync("head", ["-1", join(dir, "calls")], { encoding: "utf8" }).stdout.trim();
    assert.equal(calls, `status -address=${NAME} -ca-cert=/tls/ca.crt -tls-server-name=bao.example`);
    const secret = pod.spec!.volumes!.find(({ name }) => name === "tls")!.secret;
    assert.deepEqual(secret, { secretName: "bao-ca", items: [{ key: "tls.crt", path: "ca.crt" }] });
    assert.equal(pod.spec!.automountServiceAccountToken, false);
  });
});

describe("what the probe found", () => {
  function world(...lines: readonly string[]): StepWorld {
    const step = new StepWorld("network-probe");
    const labels = { "openbao-raft-migration/probe": "client" };
    step.kube
      .put(`${PODS}/openbao-raft-probe-client-0`, {
        metadata: { labels },
        spec: { nodeName: "node-0" },
        status: { phase: "Succeeded" },
      })
      .answer("text", /probe-client-0\/log$/, () => ["open 10.0.0.1:8200", ...lines, "complete"].join("\n"));
    return step;
  }
  const verify = (step: StepWorld) => networkProbe.verify(step.context);

  it("is told with the nodes from which name and API server answered", async () => {
    const found = await verify(world(`named ${NAME}`, "api-open https://10.96.0.1:443"));
    assert.deepEqual(found, { connections: 1, nodes: ["node-0"], named: ["node-0"], api: ["node-0"] });
  });

  it("refuses all that does not answer, at once (F44, F49, I10)", async () => {
    const step = world(
      "blocked 10.0.0.1:8201",
      `unnamed ${NAME} no such host`,
      "api-closed https://10.96.0.1:443 timeout",
    );
    await assert.rejects(verify(step), (error: Error) => {
      for (const part of [
        /port 8201.*\[F44\]/,
        /node-0 -> http:\/\/openbao-0.openbao-internal:8200: no such host.*\[F49\]/,
        /node-0 -> https:\/\/10.96.0.1:443: timeout.*\[I10\]/,
      ])
        assert.match(error.message, part);
      return true;
    });
  });

  it("refuses no API server that policies open by the label which probes leave out (I10)", async () => {
    const step = world("api-closed https://10.96.0.1:443 timeout");
    step.kube.put("/apis/networking.k8s.io/v1/namespaces/openbao/networkpolicies/api", {
      spec: { podSelector: { matchLabels: { component: "server" } } },
    });
    await verify(step);
  });
});
