import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { cacheDir } from "../../rehearsal/cache";

/* The fixture against the facts about the official chart; the same tests run on the official one by OPENBAO_CHART. */

interface Rendered {
  kind: string;
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: any; // eslint-disable-line @typescript-eslint/no-explicit-any -- rendered objects of many kinds
  data?: Record<string, string>;
  rules?: unknown;
}

const fixture = join(__dirname, "..", "..", "rehearsal", "standins", "chart", "openbao");
const built = cacheDir("tools", "helm-3.19.5", "helm");
const helm = process.env["REHEARSAL_HELM"] ?? (existsSync(built) ? built : "helm");
const charts = [
  ["the fixture", fixture],
  ...(process.env["OPENBAO_CHART"] ? [["the official chart", process.env["OPENBAO_CHART"]]] : []),
] as [string, string][];

// Helm without a cluster assumes an old Kubernetes, unless its build carries the version.
const kubernetes = ["--kube-version", "1.34.4"];

type Values = Record<string, unknown>;

function render(chart: string, values: Values, ...more: string[]): Rendered[] {
  const argv = [
    "template",
    "openbao",
    chart,
    "--namespace",
    "openbao",
    "--values",
    "-",
    ...kubernetes,
    ...more,
  ];
  const text = execFileSync(helm, argv, { input: JSON.stringify(values), encoding: "utf8" });
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
}

const names = (objects: Rendered[]) => objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();

function one(objects: Rendered[], kind: string, name = "openbao"): Rendered {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  assert.ok(found, `no ${kind} "${name}" rendered`);
  return found;
}

const container = (objects: Rendered[]) => one(objects, "StatefulSet").spec.template.spec.containers[0];
const config = (objects: Rendered[]) =>
  one(objects, "ConfigMap", "openbao-config").data?.["extraconfig-from-values.hcl"] ?? "";
const off = { injector: { enabled: false } };
const server = (extra: Values): Values => ({ ...off, server: extra });
const standalone = server({});
const raft = (ha: Values = {}): Values =>
  server({ ha: { enabled: true, raft: { enabled: true, setNodeId: true }, ...ha } });

const always = [
  "ClusterRoleBinding openbao-server-binding",
  "ConfigMap openbao-config",
  "Pod openbao-server-test",
  "Service openbao",
  "Service openbao-internal",
  "ServiceAccount openbao",
  "StatefulSet openbao",
];
const raftOnly = [
  "PodDisruptionBudget openbao",
  "Role openbao-discovery-role",
  "RoleBinding openbao-discovery-rolebinding",
  "Service openbao-active",
  "Service openbao-standby",
];
const selector = {
  "app.kubernetes.io/name": "openbao",
  "app.kubernetes.io/instance": "openbao",
  component: "server",
};

for (const [title, chart] of charts) {
  describe(`chart contract: ${title}`, () => {
    it("renders the object table of standalone mode", () => {
      assert.deepEqual(names(render(chart, standalone)), always);
    });

    it("renders the object table of ha.raft mode, with the ui Service when asked", () => {
      const objects = render(chart, { ...raft(), ui: { enabled: true } });
      assert.deepEqual(names(objects), [...always, ...raftOnly, "Service openbao-ui"].sort());
    });

    it("changes only replicas and BAO_RAFT_NODE_ID in the StatefulSet from standalone to raft", () => {
      const before = one(render(chart, standalone), "StatefulSet");
      const after = one(render(chart, raft()), "StatefulSet");
      const env = after.spec.template.spec.containers[0].env as { name: string }[];
      assert.ok(env.some(({ name }) => name === "BAO_RAFT_NODE_ID"));
      after.spec.template.spec.containers[0].env = env.filter(({ name }) => name !== "BAO_RAFT_NODE_ID");
      assert.equal(before.spec.replicas, 1);
      assert.equal(after.spec.replicas, 3);
      assert.deepEqual({ ...after.spec, replicas: 1 }, before.spec);
    });

    it("lets ha win when standalone is on, too, and dev win over both", () => {
      const both = { standalone: { enabled: true }, ha: { enabled: true, raft: { enabled: true } } };
      const objects = render(chart, server(both));
      assert.match(config(objects), /storage "raft"/);
      assert.equal(one(objects, "StatefulSet").spec.replicas, 3);
      const dev = render(chart, server({ ...both, dev: { enabled: true } }));
      assert.match(container(dev).args[0], /bao server -dev/);
    });

    it("renders one replica in standalone whatever server.replicas says", () => {
      assert.equal(one(render(chart, server({ replicas: 3 })), "StatefulSet").spec.replicas, 1);
    });

    it("refuses text in ha.replicas by its schema and renders 3 without the schema", () => {
      const values = JSON.stringify(raft({ replicas: "5" }));
      const argv = ["template", "openbao", chart, "--values", "-", ...kubernetes];
      const refused = spawnSync(helm, argv, { input: values, encoding: "utf8" });
      assert.notEqual(refused.status, 0);
      assert.match(refused.stderr, /specifications of the schema[^]*replicas/);
      const objects = render(chart, raft({ replicas: "5" }), "--skip-schema-validation");
      assert.equal(one(objects, "StatefulSet").spec.replicas, 3);
    });

    it("sets maxUnavailable to the minority of the replicas", () => {
      const budget = (ha: Values) => one(render(chart, raft(ha)), "PodDisruptionBudget").spec.maxUnavailable;
      assert.deepEqual(
        [1, 2, 3, 5].map((replicas) => budget({ replicas })),
        [0, 0, 1, 2],
      );
      assert.equal(budget({ replicas: 5, disruptionBudget: { maxUnavailable: 1 } }), 1);
      assert.equal(budget({ replicas: 1, disruptionBudget: { maxUnavailable: 1 } }), 0);
    });

    it("leaves BAO_RAFT_NODE_ID out unless setNodeId is true", () => {
      const env = container(render(chart, server({ ha: { enabled: true, raft: { enabled: true } } }))).env;
      assert.ok(!env.some(({ name }: { name: string }) => name === "BAO_RAFT_NODE_ID"));
    });

    it("publishes addresses of pods that are not ready on every Service, and selects active and standby by label", () => {
      const services = render(chart, { ...raft(), ui: { enabled: true } }).filter(
        ({ kind }) => kind === "Service",
      );
      assert.deepEqual(
        services.map(({ spec }) => spec.publishNotReadyAddresses),
        services.map(() => true),
      );
      const selected = Object.fromEntries(
        services.map(({ metadata, spec }) => [metadata.name, spec.selector]),
      );
      assert.deepEqual(selected, {
        openbao: selector,
        "openbao-internal": selector,
        "openbao-ui": selector,
        "openbao-active": { ...selector, "openbao-active": "true" },
        "openbao-standby": { ...selector, "openbao-active": "false" },
      });
    });

    it("names the ports by the scheme of global.tlsDisable", () => {
      const objects = render(chart, { ...standalone, global: { tlsDisable: false } });
      const ports = one(objects, "Service").spec.ports;
      assert.deepEqual(
        ports.map(({ name, port }: { name: string; port: number }) => [name, port]),
        [
          ["https", 8200],
          ["https-internal", 8201],
        ],
      );
      assert.deepEqual(
        container(objects).ports.map(({ name }: { name: string }) => name),
        ["https", "https-internal", "https-rep"],
      );
    });

    it("probes by bao status, or by HTTP when a path is given", () => {
      const plain = container(render(chart, standalone)).readinessProbe;
      assert.deepEqual(plain.exec.command, ["/bin/sh", "-ec", "bao status -tls-skip-verify"]);
      const path = "/v1/sys/health?standbyok=true&sealedcode=204&uninitcode=204";
      const probe = container(render(chart, server({ readinessProbe: { path } }))).readinessProbe;
      assert.deepEqual(probe.httpGet, { path, port: 8200, scheme: "HTTP" });
      assert.deepEqual([probe.initialDelaySeconds, probe.periodSeconds, probe.failureThreshold], [5, 5, 2]);
    });

    it("keeps OnDelete, OrderedReady, the required anti-affinity and the security context", () => {
      const { spec } = one(render(chart, raft()), "StatefulSet");
      assert.deepEqual([spec.updateStrategy.type, spec.podManagementPolicy], ["OnDelete", "OrderedReady"]);
      const pod = spec.template.spec;
      const term = pod.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0];
      assert.deepEqual(term, {
        topologyKey: "kubernetes.io/hostname",
        labelSelector: { matchLabels: selector },
      });
      const { runAsUser, runAsGroup, fsGroup, runAsNonRoot } = pod.securityContext;
      assert.deepEqual([runAsUser, runAsGroup, fsGroup, runAsNonRoot], [100, 1000, 1000, true]);
      assert.equal(pod.terminationGracePeriodSeconds, 10);
    });

    it("claims data and audit volumes as asked", () => {
      const values = server({
        dataStorage: { size: "1Gi", storageClass: "fast" },
        auditStorage: { enabled: true, size: "2Gi" },
      });
      const claims = one(render(chart, values), "StatefulSet").spec.volumeClaimTemplates as Rendered[];
      assert.deepEqual(
        claims.map(({ metadata, spec }) => [
          metadata.name,
          spec.resources.requests.storage,
          spec.storageClassName,
        ]),
        [
          ["data", "1Gi", "fast"],
          ["audit", "2Gi", undefined],
        ],
      );
      const mounts = container(render(chart, values)).volumeMounts as { name: string; mountPath: string }[];
      assert.equal(mounts.find(({ name }) => name === "audit")?.mountPath, "/openbao/audit");
    });

    it("mounts the unseal Secret, runs the postStart list and sleeps before SIGTERM", () => {
      const values = server({
        volumes: [{ name: "unseal", secret: { secretName: "openbao-unseal", optional: true } }],
        volumeMounts: [{ name: "unseal", mountPath: "/openbao/unseal", readOnly: true }],
        postStart: ["/bin/sh", "-c", 'echo "two words"'],
      });
      const objects = render(chart, values);
      const volumes = one(objects, "StatefulSet").spec.template.spec.volumes as { name: string }[];
      assert.deepEqual(volumes.map(({ name }) => name).sort(), ["config", "home", "unseal"]);
      const { lifecycle, volumeMounts } = container(objects);
      assert.ok(volumeMounts.some(({ mountPath }: { mountPath: string }) => mountPath === "/openbao/unseal"));
      assert.deepEqual(lifecycle.postStart.exec.command, ["/bin/sh", "-c", 'echo "two words"']);
      assert.match(lifecycle.preStop.exec.command.join(" "), /sleep 5 && kill -SIGTERM/);
    });

    it("renders configuration text as a template and a map as JSON", () => {
      const text = config(render(chart, server({ standalone: { config: 'x = "{{ .Release.Name }}"' } })));
      assert.equal(text.trim(), 'x = "openbao"');
      const map = config(
        render(chart, server({ standalone: { config: { storage: { file: { path: "/p" } } } } })),
      );
      assert.deepEqual(JSON.parse(map).storage, { file: { path: "/p" } });
    });

    it("puts a checksum of the configuration on the pod only when configAnnotation is on", () => {
      const annotations = (values: Values) =>
        one(render(chart, values), "StatefulSet").spec.template.metadata.annotations;
      assert.equal(annotations(standalone), undefined);
      const checksum = "openbao.hashicorp.com/config-checksum";
      assert.match(annotations(server({ configAnnotation: true }))[checksum], /^[0-9a-f]{64}$/);
    });

    it("drops active and standby Services, PodDisruptionBudget and discovery RBAC by their switches", () => {
      const values = server({
        ha: { enabled: true, raft: { enabled: true }, disruptionBudget: { enabled: false } },
        service: { active: { enabled: false }, standby: { enabled: false } },
        serviceAccount: { serviceDiscovery: { enabled: false } },
      });
      assert.deepEqual(names(render(chart, values)), always);
    });
  });
}
