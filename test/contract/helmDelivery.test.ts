import { KubernetesObjectApi } from "@kubernetes/client-node";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, delimiter, join } from "node:path";
import { stringify } from "yaml";
import { kubeClient, type KubeClient, type KubeObject } from "../../components/cluster/kubeClient";
import { KubeConfig } from "../../components/cluster/kubernetesLibrary";
import { LAYER_KEY, LAYERS } from "../../components/delivery/heldRelease";
import { helmDelivery } from "../../components/delivery/helmDelivery";
import {
  deployedOf,
  helmRecord,
  helmRevisions,
  labelFor,
  REVISION_LABEL,
} from "../../components/delivery/helmRecord";
import { manifestDrift } from "../../components/delivery/manifestDrift";
import { foreignRevisions, readRelease } from "../../components/delivery/releaseReader";
import { runHelm, upgradeArgs } from "../../components/delivery/runHelm";
import { readHelm } from "../../components/gate/readDelivery";
import { raftLayer } from "../../components/raftLayer";
import type { StepContext } from "../../components/steps/runStep";
import { condition, until } from "../../components/steps/world";
import { detectDrift } from "../../rehearsal/standins/helmController/detectDrift";
import { cacheDir } from "../../rehearsal/cache";
import { toolPath } from "../../rehearsal/tools/tools";
import { configOf } from "../support/snapshotBuilder";
import { StepWorld } from "../support/stepContext";

/*
 * What delivery by Helm relies on in the real Helm, on a live API server: CONTRACT_KUBECONFIG, by default that of the
 * rehearsal. Pods match no node on purpose: no image is needed, and no kubelet.
 */

const namespace = "helmdeliverytest";
const NAME = { namespace, release: "openbao", delivery: "helm" as const };
const kubeconfig = process.env["CONTRACT_KUBECONFIG"] ?? cacheDir("cluster", "admin.kubeconfig");
const chart = join(__dirname, "../../rehearsal/standins/chart/openbao");
const boundMs = 60_000;
const values = {
  injector: { enabled: false },
  server: {
    // Lies in no namespace, and the rehearsal's source may have it.
    authDelegator: { enabled: false },
    // Kept by the API server in other words.
    resources: { limits: { cpu: "1000m", memory: "0.5Gi" } },
    nodeSelector: { "openbao-raft-migration/none": "none" },
    extraEnvironmentVars: { CANARY: "canary-in-the-values" },
    standalone: { enabled: true, config: 'storage "file" { path = "/openbao/data" }' },
  },
};

describe("Helm contract", function () {
  this.timeout(5 * boundMs);
  let kube: KubeClient;
  let ctx: StepContext;
  const saved = { PATH: process.env["PATH"], KUBECONFIG: process.env["KUBECONFIG"] };
  const server = (kind: string) => kube.get<KubeObject & Record<string, never>>(kind);
  const configText = async () =>
    JSON.stringify(await server(`/api/v1/namespaces/${namespace}/configmaps/openbao-config`));
  const statuses = async () =>
    (await helmRevisions(kube, NAME, true)).map(({ revision, status, ours }) => [revision, status, ours]);

  before(async () => {
    process.env["PATH"] = [dirname(toolPath("helm")), saved.PATH ?? ""].join(delimiter);
    process.env["KUBECONFIG"] = kubeconfig;
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    kube = kubeClient(config);
    const { context } = new StepWorld("flip");
    ctx = { ...context, kube, input: { ...context.input, ...NAME, podTimeoutSeconds: 30 } };
    await removed();
    await kube.create("/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace },
    });
    await runHelm(["install", "openbao", chart, "--namespace", namespace, "--values", "-"], values, boundMs);
  });

  after(async () => {
    await removed();
    Object.assign(process.env, saved);
  });

  /** The release first: not all of it lies in the namespace. */
  async function removed(): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}`;
    if ((await kube.find(path)) === undefined) return;
    await runHelm(
      ["uninstall", "openbao", "--namespace", namespace, "--ignore-not-found"],
      undefined,
      boundMs,
    );
    await kube.remove(path);
    await kube.waitFor("/api/v1/namespaces", namespace, (seen) => seen === undefined, {
      what: "the namespace to be gone",
      timeoutSeconds: 60,
    });
  }

  it("records the values, the chart and its state as this program reads them", async () => {
    const release = await readRelease(kube, NAME);
    assert.deepEqual(release.spec?.values, values);
    assert.deepEqual(release.spec?.["chart"], { spec: { chart: "openbao", version: "0.29.2" } });
    assert.equal(condition(release, "Ready")?.status, "True");
    assert.deepEqual(await statuses(), [[1, "deployed", false]]);
  });

  it("renders from the recorded chart and values what it recorded, and writes nothing in trying", async () => {
    const view = await readHelm(kube, configOf(NAME), boundMs);
    assert.deepEqual(view?.changed, []);
    assert.match(view?.version ?? "", /^v3\./);
    assert.deepEqual(await statuses(), [[1, "deployed", false]]);
  });

  it("upgrades to the layer with the recorded chart, as a revision that is known as this program's", async () => {
    await helmDelivery.pause(ctx, await readRelease(kube, NAME));
    await kube.create<KubeObject>(`/api/v1/namespaces/${namespace}/configmaps`, {
      metadata: { name: LAYERS.raft },
      data: { [LAYER_KEY]: stringify(raftLayer('storage "raft" { path = "/openbao/data" }', "helm")) },
    } as KubeObject);
    const set = `/apis/apps/v1/namespaces/${namespace}/statefulsets/openbao`;
    await kube.mergePatch(`${set}/scale`, { spec: { replicas: 0 } });
    await helmDelivery.apply(ctx, async () =>
      (await configText()).includes("raft") ? undefined : "not yet",
    );
    assert.deepEqual(await statuses(), [
      [1, "superseded", false],
      [2, "deployed", true],
    ]);
    const { spec } = await kube.get<KubeObject & { spec: { replicas: number } }>(set);
    assert.equal(spec.replicas, 1);
    const now = helmRecord(deployedOf(await helmRevisions(kube, NAME))!).config as typeof values;
    assert.equal(now.server.extraEnvironmentVars.CANARY, "canary-in-the-values");
    assert.equal(await foreignRevisions(kube, NAME), undefined);
  });

  it("shows no drift in what Helm applied, whatever the API server adds, and each field that somebody changed (I39)", async () => {
    const { manifest } = helmRecord(deployedOf(await helmRevisions(kube, NAME))!);
    const seen = await manifestDrift(kube, namespace, manifest);
    assert.deepEqual(seen.drift, []);
    // The rehearsal's own way says the same.
    const objects = KubernetesObjectApi.makeApiClient(kube.config);
    assert.deepEqual(await detectDrift(objects, manifest, namespace, [], false), []);
    const kinds = new Set(seen.compared.map((object) => object.split(" ")[0]));
    assert.deepEqual([...kinds].sort(), ["ConfigMap", "PodDisruptionBudget", "Service", "StatefulSet"]);
    const by = { fieldManager: "kubectl-edit" };
    const set = `/apis/apps/v1/namespaces/${namespace}/statefulsets/openbao`;
    const service = `/api/v1/namespaces/${namespace}/services/openbao`;
    const seconds = { spec: { template: { spec: { terminationGracePeriodSeconds: 77 } } } };
    await kube.mergePatch(set, seconds, by);
    await kube.mergePatch(service, { spec: { publishNotReadyAddresses: false } }, by);
    await kube.remove(`/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets/openbao`);
    const { drift } = await manifestDrift(kube, namespace, manifest);
    assert.deepEqual(drift.map(({ object, field, how }) => `${object} ${field} ${how}`).sort(), [
      "PodDisruptionBudget openbao (all) gone",
      "Service openbao spec.publishNotReadyAddresses gone",
      "StatefulSet openbao spec.template.spec.terminationGracePeriodSeconds different",
    ]);
    // A field that is left out has no owner.
    assert.deepEqual(
      drift.flatMap(({ object, by: writer }) =>
        writer?.startsWith("kubectl-edit (Update, ") ? [object] : [],
      ),
      ["StatefulSet openbao"],
    );
  });

  it("goes on after a Helm that was killed in its upgrade, where Helm alone refuses (F54)", async () => {
    const args = ["--wait", "--timeout", "60s", "--labels", `${REVISION_LABEL}=${labelFor(3)}`];
    const child = spawn("helm", upgradeArgs(NAME, chart, args), { stdio: ["pipe", "ignore", "ignore"] });
    // Nobody gives this cluster's Services an address from outside: Helm waits for one until it is killed.
    const waits = { logLevel: "debug", service: { type: "LoadBalancer" } };
    child.stdin.end(JSON.stringify({ ...values, server: { ...values.server, ...waits } }));
    await until("a pending revision", 30, async () => {
      const seen = (await statuses()).at(-1);
      return seen?.[1] === "pending-upgrade" ? { value: true } : { seen: String(seen) };
    });
    child.kill("SIGKILL");
    const [, signal] = (await once(child, "close")) as [number | null, string | null];
    assert.equal(signal, "SIGKILL", "Helm ended by itself");
    await assert.rejects(runHelm(upgradeArgs(NAME, chart, []), values, boundMs), /in progress/);
    ctx = { ...ctx, input: { ...ctx.input, podTimeoutSeconds: 2 } };
    await helmDelivery.apply(ctx, () => Promise.resolve(undefined));
    assert.deepEqual((await statuses()).slice(2), [
      [3, "failed", true],
      [4, "deployed", true],
    ]);
    assert.ok((await configText()).includes("raft"));
    // Helm reads the record that was written anew.
    const history = await runHelm(["history", "openbao", "--namespace", namespace], undefined, boundMs);
    assert.match(history, /3\s.*failed.*the run that began it was killed/);
  });

  it("is told from an upgrade by hand, to which Helm hands this program's label on (F53)", async () => {
    await runHelm([...upgradeArgs(NAME, chart, [])], values, boundMs);
    const newest = (await helmRevisions(kube, NAME)).at(-1)!;
    assert.equal(newest.secret.metadata?.labels?.[REVISION_LABEL], labelFor(4));
    assert.equal(await foreignRevisions(kube, NAME), "5 (deployed)");
  });

  it("goes back to the values of before, and gives the release back", async () => {
    await helmDelivery.restoreValues(ctx, await readRelease(kube, NAME));
    await helmDelivery.apply(ctx, () => Promise.resolve(undefined));
    await helmDelivery.resume(ctx, await readRelease(kube, NAME), {});
    const release = await readRelease(kube, NAME);
    assert.deepEqual(release.spec?.values, values);
    assert.equal(release.spec?.suspend, undefined);
    assert.ok(!(await configText()).includes("raft"));
    // What was changed by hand is put right. What the killed upgrade had applied may stay: Helm compares with deployed ones.
    const { manifest } = helmRecord(deployedOf(await helmRevisions(kube, NAME))!);
    const { drift } = await manifestDrift(kube, namespace, manifest);
    assert.deepEqual(
      drift.filter(({ field }) => !field.endsWith("env[BAO_LOG_LEVEL]")),
      [],
    );
  });
});
