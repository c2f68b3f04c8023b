import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  PatchStrategy,
  PolicyV1Api,
  setHeaderOptions,
} from "@kubernetes/client-node";
import { cacheDir } from "../../rehearsal/cache";
import { installCrds } from "../../rehearsal/standins/crds/installCrds";
import { findCondition } from "../../rehearsal/standins/helmController/conditions";
import { helmReleaseApi, type HelmRelease } from "../../rehearsal/standins/helmController/helmRelease";
import { decodeRelease, encodeRelease } from "../../rehearsal/standins/helmController/releaseStorage";
import {
  startHelmController,
  type RunningHelmController,
} from "../../rehearsal/standins/helmController/start";

/*
 * What the migration relies on in Flux's helm-controller, on a live cluster: CONTRACT_KUBECONFIG, by default that of the
 * rehearsal. With CONTRACT_HELM_CONTROLLER=real, the one that runs there is tested instead of the stand-in; the
 * HelmRepository "openbao" then points at CONTRACT_CHART_URL. Pods match no node on purpose: no image is needed.
 */

const namespace = "helmtest";
const name = "openbao";
const real = process.env["CONTRACT_HELM_CONTROLLER"] === "real";
const kubeconfig = process.env["CONTRACT_KUBECONFIG"] ?? cacheDir("cluster", "admin.kubeconfig");
const boundMs = 60_000;
const merge = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);

const raft = { enabled: true, replicas: 3, raft: { enabled: true, setNodeId: true } };
const base = {
  injector: { enabled: false },
  server: {
    dataStorage: { enabled: false },
    nodeSelector: { "openbao-raft-migration/none": "none" },
    readinessProbe: { path: "/v1/sys/health?standbyok=true" },
  },
};

describe("helm-controller contract", function () {
  this.timeout(3 * boundMs);
  const config = new KubeConfig();
  let custom: CustomObjectsApi;
  let core: CoreV1Api;
  let apps: AppsV1Api;
  let controller: RunningHelmController | undefined;
  let state: string;

  const get = async () =>
    (await custom.getNamespacedCustomObject({ ...helmReleaseApi, namespace, name })) as HelmRelease;
  const patch = async (body: unknown) =>
    (await custom.patchNamespacedCustomObject(
      { ...helmReleaseApi, namespace, name, body },
      merge,
    )) as HelmRelease;
  const statefulSet = () => apps.readNamespacedStatefulSet({ namespace, name });

  async function until(what: string, condition: (release: HelmRelease) => boolean): Promise<HelmRelease> {
    const end = Date.now() + boundMs;
    for (;;) {
      const release = await get();
      if (condition(release)) return release;
      assert.ok(
        Date.now() < end,
        `no ${what} within ${boundMs / 1000} s: ${JSON.stringify(release.status, null, 1)}`,
      );
      await delay(20);
    }
  }

  const condition = (release: HelmRelease, type: string) => findCondition(release.status ?? {}, type);
  const observed = ({ metadata, status }: HelmRelease) => status?.observedGeneration === metadata.generation;
  const ready = (reason: string) =>
    until(
      `Ready by ${reason}`,
      (release) => observed(release) && condition(release, "Ready")?.reason === reason,
    );
  const version = async () => (await get()).status?.history?.[0]?.version;

  before(async () => {
    config.loadFromFile(kubeconfig);
    custom = config.makeApiClient(CustomObjectsApi);
    core = config.makeApiClient(CoreV1Api);
    apps = config.makeApiClient(AppsV1Api);
    state = mkdtempSync(join(tmpdir(), "helm-controller-"));
    await core.createNamespace({ body: { metadata: { name: namespace } } });
    if (!real) {
      await installCrds(config);
      const helm = process.env["REHEARSAL_HELM"] ?? cacheDir("tools", "helm-3.19.5", "helm");
      controller = await startHelmController(kubeconfig, { helm, stateDir: state });
    }
    const url = process.env["CONTRACT_CHART_URL"] ?? "https://openbao.github.io/openbao-helm";
    const source = { apiVersion: "source.toolkit.fluxcd.io/v1", kind: "HelmRepository", metadata: { name } };
    const body = { ...source, spec: { url, interval: "1h" } };
    const repositories = { group: "source.toolkit.fluxcd.io", version: "v1", plural: "helmrepositories" };
    await custom.createNamespacedCustomObject({ ...repositories, namespace, body });
  });

  after(async () => {
    await custom.deleteNamespacedCustomObject({ ...helmReleaseApi, namespace, name }).catch(() => undefined);
    await core.deleteNamespace({ name: namespace });
    const end = Date.now() + boundMs;
    while (await core.readNamespace({ name: namespace }).catch(() => undefined)) {
      assert.ok(Date.now() < end, `namespace ${namespace} still there after ${boundMs / 1000} s`);
      await delay(200);
    }
    await controller?.stop();
    rmSync(state, { recursive: true, force: true });
  });

  it("installs a new HelmRelease and reports it as Flux does", async () => {
    const chart = {
      spec: { chart: "openbao", version: "0.29.2", sourceRef: { kind: "HelmRepository", name } },
    };
    const spec = { interval: "10m", timeout: "30s", chart, values: base };
    const body = { apiVersion: "helm.toolkit.fluxcd.io/v2", kind: "HelmRelease", metadata: { name }, spec };
    await custom.createNamespacedCustomObject({ ...helmReleaseApi, namespace, body });
    const release = await ready("InstallSucceeded");
    assert.equal(condition(release, "Released")?.status, "True");
    assert.equal(condition(release, "Reconciling"), undefined);
    const { history, lastAttemptedRevision, storageNamespace } = release.status ?? {};
    assert.deepEqual([history?.[0]?.version, history?.[0]?.status, history?.length], [1, "deployed", 1]);
    assert.deepEqual([lastAttemptedRevision, storageNamespace], ["0.29.2", namespace]);
    assert.equal((await statefulSet()).spec?.replicas, 1);
  });

  it("starts at once on a change of the values and makes the raft objects of it", async () => {
    const started = Date.now();
    await patch({ spec: { values: { server: { ha: raft } } } });
    await until("Ready=Unknown", (release) => condition(release, "Ready")?.status === "Unknown");
    const reaction = Date.now() - started;
    await ready("UpgradeSucceeded");
    assert.equal((await statefulSet()).spec?.replicas, 3);
    const budget = await config
      .makeApiClient(PolicyV1Api)
      .readNamespacedPodDisruptionBudget({ namespace, name });
    assert.equal(budget.spec?.maxUnavailable, 1);
    // 300 ms on an idle machine; the bound allows for a busy one, and tells a watch from a poll by the interval.
    assert.ok(reaction < 3_000, `reaction took ${reaction} ms`);
  });

  it("touches nothing while suspended, and shows by observedGeneration that it has seen the suspension", async () => {
    const before = await version();
    await patch({ spec: { suspend: true } });
    await until("observed suspension", observed);
    await patch({ spec: { values: { server: { ha: { replicas: 5 } } } } });
    const release = await until("observed change", observed);
    assert.deepEqual([await version(), condition(release, "Ready")?.status], [before, "True"]);
    assert.equal((await statefulSet()).spec?.replicas, 3);
    await apps.patchNamespacedStatefulSetScale({ namespace, name, body: { spec: { replicas: 0 } } }, merge);
    assert.equal((await statefulSet()).spec?.replicas, 0);
    await patch({ spec: { suspend: false } });
    await until("resumed", (one) => observed(one) && one.status?.history?.[0]?.version === (before ?? 0) + 1);
    assert.equal((await statefulSet()).spec?.replicas, 5);
  });

  it("answers requestedAt without a Helm action when nothing changed, and forceAt with one", async () => {
    const before = await version();
    const ask = (value: string, more: Record<string, string> = {}) =>
      patch({ metadata: { annotations: { "reconcile.fluxcd.io/requestedAt": value, ...more } } });
    await ask("one");
    await until("handled request", ({ status }) => status?.lastHandledReconcileAt === "one");
    assert.equal(await version(), before);
    await ask("two", { "reconcile.fluxcd.io/forceAt": "two" });
    await until("handled force", ({ status }) => status?.lastHandledReconcileAt === "two");
    assert.deepEqual([(await get()).status?.lastHandledForceAt, await version()], ["two", (before ?? 0) + 1]);
  });

  it("takes values from Secrets below those inline, and finds their change at the next reconcile", async () => {
    const secret = (tag: string) => ({ metadata: { name: "tag" }, stringData: { tag } });
    await core.createNamespacedSecret({ namespace, body: secret("1.1.1") });
    const image = async () => (await statefulSet()).spec?.template.spec?.containers[0]?.image;
    const reference = { kind: "Secret", name: "tag", valuesKey: "tag", targetPath: "server.image.tag" };
    await patch({ spec: { valuesFrom: [reference, { kind: "ConfigMap", name: "none", optional: true }] } });
    await ready("UpgradeSucceeded");
    assert.equal(await image(), "quay.io/openbao/openbao:1.1.1");
    await core.replaceNamespacedSecret({ namespace, name: "tag", body: secret("2.2.2") });
    await patch({ metadata: { annotations: { "reconcile.fluxcd.io/requestedAt": "three" } } });
    await until("handled request", ({ status }) => status?.lastHandledReconcileAt === "three");
    assert.equal(await image(), "quay.io/openbao/openbao:2.2.2");
  });

  it("reports a missing reference and values that the schema refuses, and counts neither as a stored failure", async () => {
    const before = await version();
    await patch({ spec: { valuesFrom: [{ kind: "Secret", name: "missing" }] } });
    await until("ValuesError", (release) => condition(release, "Ready")?.reason === "ValuesError");
    await patch({ spec: { valuesFrom: null, values: { server: { ha: { replicas: "3" } } } } });
    const release = await until(
      "UpgradeFailed",
      (one) => condition(one, "Ready")?.reason === "UpgradeFailed",
    );
    assert.match(condition(release, "Ready")?.message ?? "", /replicas/);
    assert.deepEqual([release.status?.upgradeFailures, await version()], [undefined, before]);
    await patch({ spec: { values: { server: { ha: { replicas: 3 } } } } });
    await ready("UpgradeSucceeded");
  });

  it("rolls a failed upgrade back when retries are given, and then stalls until a change", async () => {
    const before = (await version()) ?? 0;
    const refused = { server: { podManagementPolicy: "Parallel", ha: { replicas: 5 } } };
    await patch({ spec: { upgrade: { remediation: { retries: 1 } }, values: refused } });
    const release = await until(
      "Stalled",
      (one) => observed(one) && condition(one, "Stalled")?.status === "True",
    );
    assert.equal(condition(release, "Stalled")?.reason, "RetriesExceeded");
    assert.equal(condition(release, "Ready")?.reason, "RollbackSucceeded");
    assert.equal(condition(release, "Ready")?.status, "False");
    assert.equal(condition(release, "Remediated")?.status, "True");
    assert.deepEqual(
      [release.status?.upgradeFailures, release.status?.history?.[0]?.version],
      [2, before + 4],
    );
    assert.equal((await statefulSet()).spec?.replicas, 3);
    await patch({
      spec: { values: { server: { podManagementPolicy: "OrderedReady", ha: { replicas: 5 } } } },
    });
    const mended = await ready("UpgradeSucceeded");
    assert.equal(condition(mended, "Stalled"), undefined);
    assert.equal((await statefulSet()).spec?.replicas, 5);
  });

  it("leaves a failed upgrade as it is when no retries are given", async () => {
    const values = { server: { podManagementPolicy: "Parallel" } };
    await patch({ spec: { upgrade: { remediation: { retries: 0 } }, values } });
    const release = await until(
      "Stalled",
      (one) => observed(one) && condition(one, "Stalled")?.status === "True",
    );
    assert.deepEqual(
      [condition(release, "Ready")?.reason, condition(release, "Remediated")],
      ["UpgradeFailed", undefined],
    );
    await patch({ spec: { upgrade: null, values: { server: { podManagementPolicy: "OrderedReady" } } } });
    await ready("UpgradeSucceeded");
  });

  it("sees drift only when told to, and corrects it when enabled", async () => {
    const scale = (replicas: number) =>
      apps.patchNamespacedStatefulSetScale({ namespace, name, body: { spec: { replicas } } }, merge);
    const ask = async (value: string) => {
      await patch({ metadata: { annotations: { "reconcile.fluxcd.io/requestedAt": value } } });
      await until(`handled ${value}`, ({ status }) => status?.lastHandledReconcileAt === value);
    };
    await scale(2);
    await ask("four");
    assert.equal((await statefulSet()).spec?.replicas, 2);
    await patch({ spec: { driftDetection: { mode: "warn" } } });
    await until("warning", (one) => observed(one) && condition(one, "Drifted")?.status === "True");
    assert.equal((await statefulSet()).spec?.replicas, 2);
    await patch({ spec: { driftDetection: { mode: "enabled" } } });
    await until("correction", (one) => observed(one) && condition(one, "Drifted")?.status === "False");
    assert.equal((await statefulSet()).spec?.replicas, 5);
  });

  it("frees a release that a killed Helm left pending", async () => {
    const labelSelector = "owner=helm,status=deployed";
    const [stored] = (await core.listNamespacedSecret({ namespace, labelSelector })).items;
    const payload = stored?.data?.["release"];
    assert.ok(stored?.metadata && payload);
    const pending = decodeRelease(payload);
    pending.info.status = "pending-upgrade";
    pending.version += 1;
    const labels = { ...stored.metadata.labels, status: "pending-upgrade", version: String(pending.version) };
    const metadata = { name: `sh.helm.release.v1.${name}.v${pending.version}`, labels };
    const data = { release: encodeRelease(pending) };
    await core.createNamespacedSecret({ namespace, body: { type: stored.type, metadata, data } });
    await patch({ spec: { values: { server: { ha: { replicas: 3 } } } } });
    const release = await ready("UpgradeSucceeded");
    assert.equal(release.status?.history?.[0]?.version, pending.version + 1);
    assert.equal((await statefulSet()).spec?.replicas, 3);
  });

  it("uninstalls the release before it lets a deleted HelmRelease go", async () => {
    await custom.deleteNamespacedCustomObject({ ...helmReleaseApi, namespace, name });
    const end = Date.now() + boundMs;
    while (await get().catch(() => undefined)) {
      assert.ok(Date.now() < end, `HelmRelease still there after ${boundMs / 1000} s`);
      await delay(50);
    }
    await assert.rejects(statefulSet(), { code: 404 });
    const left = await core.listNamespacedSecret({ namespace, labelSelector: "owner=helm" });
    assert.equal(left.items.length, 0);
  });
});
