import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Journal } from "../../components/cluster/journal";
import {
  kubeClient,
  loadKubeConfig,
  type KubeClient,
  type KubeObject,
} from "../../components/cluster/kubeClient";
import { land } from "../../components/land/landing";
import { valueDifferences } from "../../components/land/valueDifferences";
import { networkPolicyObject } from "../../components/raftPolicyObjects";
import { OWNED_VALUES } from "../../components/openBaoConfig/targetValues";
import { appliedSince, type Kustomization } from "../../components/steps/fluxObjects";
import { recordBefore, writersOf } from "../../components/steps/pauseRecord";
import { pauseAll } from "../../components/steps/pausing";
import { resumeAll } from "../../components/steps/resuming";
import { Refused, type StepContext } from "../../components/steps/runStep";
import { kubeconfigPath } from "../../rehearsal/cluster/layout";
import { waitFor } from "../../rehearsal/cluster/waitFor";
import { definitionsOf, startFluxControllers } from "../../rehearsal/flux/controllers";
import { putDefinitions } from "../../rehearsal/flux/definitions";
import { removeAtOnce } from "../../rehearsal/flux/removeFlux";
import { publish, squashMerge } from "../../rehearsal/flux/reviewedRepository";
import { makePlatformCheckout } from "../../rehearsal/source/platformCheckout";
import { HELM_RELEASE_FILE, RAFT_POLICY_FILE, VARIABLES_FILE } from "../../rehearsal/source/platformFiles";
import { installCrds } from "../../rehearsal/standins/crds/installCrds";
import { locate } from "../../rehearsal/tools/locate";
import { partOf } from "../../rehearsal/tools/toolList";

/*
 * What pausing and resuming rely on in Flux's kustomize-controller, on a live API server: CONTRACT_KUBECONFIG, by
 * default the rehearsal's cluster. This test plays source-controller and helm-controller: it serves the artifacts
 * itself, and says ready of what Flux applied.
 */

const NS = "fluxtest";
const PARENT = "flux-system";
const OWNER = "infrastructure-controllers";
const FLUX = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${NS}/kustomizations`;
const SOURCES = `/apis/source.toolkit.fluxcd.io/v1/namespaces/${NS}`;
const RELEASE = `/apis/helm.toolkit.fluxcd.io/v2/namespaces/${NS}/helmreleases/openbao`;
const POLICIES = `/apis/networking.k8s.io/v1/namespaces/${NS}/networkpolicies`;
const POLICY = networkPolicyObject({ namespace: NS, release: "openbao" }, ["Ingress", "Egress"]);
const BOUND = 90;
const kubeconfig = process.env["CONTRACT_KUBECONFIG"] ?? kubeconfigPath();

const there =
  locate(partOf("kustomize-controller")).found !== undefined &&
  (["kustomize-controller", "source-controller"] as const).every((name) => existsSync(definitionsOf(name))) &&
  existsSync(kubeconfig);
const title = there ? "" : " (SKIPPED: no built kustomize-controller, or no rehearsal cluster)";

interface Release extends KubeObject {
  spec: { suspend?: boolean; values: { server: Record<string, unknown> } };
  status?: { observedGeneration?: number };
}

(there ? describe : describe.skip)(`kustomize-controller contract${title}`, function () {
  this.timeout(4 * BOUND * 1000);
  let dir: string;
  let bare: string;
  let kube: KubeClient;
  let server: Server;
  let context: StepContext;
  let controllers: { stop(): Promise<void> };
  let raft: Record<string, unknown>;
  const artifacts = new Map<string, Buffer>();
  const ended = new AbortController();
  let playing: Promise<void>;

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "flux-contract-"));
    process.env["KUBECONFIG"] = kubeconfig;
    const config = loadKubeConfig();
    kube = kubeClient(config);
    await installCrds(config);
    for (const name of ["source-controller", "kustomize-controller"] as const)
      await putDefinitions(kube, definitionsOf(name));
    const checkout = join(dir, "platform");
    bare = join(dir, "platform.git");
    await makePlatformCheckout(checkout);
    await publish(checkout, bare);
    const git = {
      branch: "openbao-raft",
      helmRelease: HELM_RELEASE_FILE,
      variables: VARIABLES_FILE,
      replicasVariable: "openbao_replicas",
    };
    ({ values: raft } = await land({
      ...{ ...git, checkout, release: "openbao", namespace: "openbao", replicas: 3 },
      networkPolicy: { file: RAFT_POLICY_FILE, objects: [POLICY] },
    }));
    execFileSync("git", ["-C", checkout, "push", "--quiet", "origin", git.branch]);
    server = createServer((request, response) => response.end(artifacts.get(request.url ?? "")));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    await kube.create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: NS } });
    controllers = await startFluxControllers(["kustomize-controller"], kubeconfig);
    await kube.create(`${SOURCES}/gitrepositories`, {
      apiVersion: "source.toolkit.fluxcd.io/v1",
      kind: "GitRepository",
      metadata: { name: PARENT, namespace: NS },
      spec: { interval: "1h", url: "http://127.0.0.1/none" },
    } as KubeObject);
    await publishArtifact();
    await kube.create(FLUX, parent());
    playing = play();
    context = stepContext();
  });

  after(async () => {
    ended.abort();
    await playing;
    // First the controller: while it runs, a Kustomization of the chain makes the next one again.
    await controllers.stop();
    for (const name of [PARENT, "bootstrap", OWNER]) await removeAtOnce(kube, `${FLUX}/${name}`);
    assert.deepEqual(await kube.list(FLUX), []);
    await kube.remove(`/api/v1/namespaces/${NS}`);
    server.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** As `flux bootstrap` leaves it, with everything of Git moved into the test's namespace. */
  function parent(): KubeObject {
    const patch = JSON.stringify([
      { op: "add", path: "/spec/targetNamespace", value: NS },
      // A health check that a suspended HelmRelease keeps waiting ends only by it, also after the suspension.
      { op: "replace", path: "/spec/timeout", value: "15s" },
      // As if Git stated it: what keeps the parent from un-suspending its child is the annotation alone.
      { op: "add", path: "/spec/suspend", value: false },
    ]);
    return {
      apiVersion: "kustomize.toolkit.fluxcd.io/v1",
      kind: "Kustomization",
      metadata: { name: PARENT, namespace: NS },
      spec: {
        interval: "1h",
        prune: true,
        path: "./k8s/clusters/prod",
        targetNamespace: NS,
        sourceRef: { kind: "GitRepository", name: PARENT },
        patches: [{ target: { kind: "Kustomization" }, patch }],
      },
    } as KubeObject;
  }

  /** What source-controller leaves when it has fetched the main branch. */
  async function publishArtifact(): Promise<string> {
    const commit = execFileSync("git", ["-C", bare, "rev-parse", "main"], { encoding: "utf8" }).trim();
    const tar = execFileSync("git", ["-C", bare, "archive", "--format=tar.gz", commit]);
    const path = `/${commit}.tar.gz`;
    artifacts.set(path, tar);
    await kube.mergePatch(`${SOURCES}/gitrepositories/${PARENT}/status`, {
      status: {
        artifact: {
          path,
          url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
          revision: `main@sha1:${commit}`,
          digest: `sha256:${createHash("sha256").update(tar).digest("hex")}`,
          size: tar.length,
          lastUpdateTime: new Date().toISOString().replace(/\.\d+/, ""),
        },
      },
    });
    return `main@sha1:${commit}`;
  }

  /** helm-controller and source-controller say ready of what is not suspended. */
  async function play(): Promise<void> {
    while (!ended.signal.aborted) {
      for (const path of [RELEASE, `${SOURCES}/helmrepositories/openbao`]) {
        const object = await kube.find<Release>(path).catch(() => undefined);
        const generation = object?.metadata?.generation;
        if (object === undefined || object.spec.suspend === true) continue;
        if (object.status?.observedGeneration === generation) continue;
        const lastTransitionTime = new Date().toISOString().replace(/\.\d+/, "");
        const ready = { type: "Ready", status: "True", reason: "Succeeded", message: "", lastTransitionTime };
        await kube
          .mergePatch(`${path}/status`, { status: { observedGeneration: generation, conditions: [ready] } })
          .catch(() => undefined);
      }
      await delay(200);
    }
  }

  function stepContext(): StepContext {
    return {
      input: {
        step: "resume",
        namespace: NS,
        release: "openbao",
        replicas: 3,
        keySecret: { name: "k", unsealKey: "u", rootToken: "r" },
        podTimeoutSeconds: BOUND,
        copyTimeoutSeconds: BOUND,
        volatile: [],
      },
      kube,
      journal: new Journal(kube, NS, "tester"),
      fence: { holder: "tester", value: 1, assertHeld: () => Promise.resolve() },
      bao: () => assert.fail("no OpenBao here"),
      keys: () => assert.fail("no keys here"),
      log: () => undefined,
    };
  }

  const release = () => kube.get<Release>(RELEASE);
  const kustomization = (name: string) => kube.get<Kustomization>(`${FLUX}/${name}`);
  const ready = (name: string, revision?: string) =>
    waitFor(`Kustomization ${name} to be ready`, BOUND, async () => {
      const one = await kustomization(name);
      const said = one.status?.conditions?.find(({ type }) => type === "Ready");
      const current = said?.status === "True" && said.observedGeneration === one.metadata?.generation;
      if (current && (revision === undefined || one.status?.lastAppliedRevision === revision)) return one;
      throw new Error(`${said?.status} ${said?.message}`);
    });

  async function runAgain(name: string): Promise<void> {
    const requestedAt = new Date().toISOString();
    await kube.mergePatch(`${FLUX}/${name}`, {
      metadata: { annotations: { "reconcile.fluxcd.io/requestedAt": requestedAt } },
    });
    await waitFor(`Flux to run ${name} again`, BOUND, async () => {
      const one = await kustomization(name);
      return (one.status as { lastHandledReconcileAt?: string }).lastHandledReconcileAt === requestedAt;
    });
  }

  it("applies the HelmRelease through the chain of Kustomizations, marks its owner, and puts the variables in", async () => {
    await ready(OWNER);
    const { metadata, spec } = await release();
    assert.equal(metadata?.labels?.["kustomize.toolkit.fluxcd.io/name"], OWNER);
    assert.equal(metadata?.labels?.["kustomize.toolkit.fluxcd.io/namespace"], NS);
    assert.equal(spec.values.server["replicas"], 1);
  });

  it("leaves suspend as we set it, on the Kustomization and the HelmRelease, when a parent that says otherwise runs again (I38)", async () => {
    const before = await recordBefore(context, await writersOf(context), false);
    await context.journal.append({ step: "pause", beat: "act", observed: { before } });
    await pauseAll(context);
    await runAgain(PARENT);
    const { metadata, spec } = await kustomization(OWNER);
    assert.equal(spec?.suspend, true);
    assert.equal(metadata?.annotations?.["kustomize.toolkit.fluxcd.io/reconcile"], "disabled");
    assert.equal((await release()).spec.suspend, true);
  });

  it("leaves a HelmRelease alone that says reconcile: disabled, even when somebody resumes the Kustomization (F53)", async () => {
    await kube.mergePatch(RELEASE, { spec: { values: raft } });
    const { generation } = (await release()).metadata!;
    await kube.mergePatch(`${FLUX}/${OWNER}`, { spec: { suspend: null } });
    await ready(OWNER);
    const after = await release();
    assert.equal(after.metadata?.generation, generation);
    assert.deepEqual(after.spec.values, raft);
    await kube.mergePatch(`${FLUX}/${OWNER}`, { spec: { suspend: true } });
  });

  it("takes the old commit's values back once the HelmRelease is open: resuming sees it, and pauses all again (F69)", async () => {
    await assert.rejects(resumeAll(context), (error: unknown) => {
      assert.ok(error instanceof Refused && error.hazard === "F69", String(error));
      assert.match(error.message, /takes back what runs: server\.standalone\.enabled/);
      return true;
    });
    const { spec } = await release();
    assert.equal(spec.suspend, true);
    assert.equal((await kustomization(OWNER)).spec?.suspend, true);
    assert.deepEqual(valueDifferences(spec.values, raft, OWNED_VALUES), []);
  });

  it("changes nothing at the merged commit: both run again, with the values as they were, and the policy is taken over", async () => {
    const made = await kube.create<KubeObject>(POLICIES, POLICY, { fieldManager: "pulumi-kubernetes" });
    await squashMerge(bare, "openbao-raft");
    const revision = await publishArtifact();
    await ready("bootstrap", revision);
    await resumeAll(context);
    const owner = await ready(OWNER, revision);
    assert.equal(appliedSince(owner), true);
    assert.equal(owner.spec?.suspend, false);
    assert.equal(owner.metadata?.annotations?.["kustomize.toolkit.fluxcd.io/reconcile"], undefined);
    const resumed = await release();
    assert.equal(resumed.spec.suspend, undefined);
    assert.equal(resumed.metadata?.annotations?.["kustomize.toolkit.fluxcd.io/reconcile"], undefined);
    assert.deepEqual(resumed.spec.values, raft);
    await runAgain(OWNER);
    await ready(OWNER, revision);
    assert.equal((await release()).metadata?.generation, resumed.metadata?.generation);
    const { metadata: policy } = await kube.get<KubeObject>(`${POLICIES}/openbao-raft`);
    assert.equal(policy?.labels?.["kustomize.toolkit.fluxcd.io/name"], OWNER);
    const known = { uid: policy?.uid, generation: policy?.generation };
    assert.deepEqual(known, { uid: made.metadata?.uid, generation: made.metadata?.generation });
  });
});
