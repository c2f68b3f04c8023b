import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { land } from "../../components/land/landing";
import { Refused, runBeats } from "../../components/steps/runStep";
import { pause } from "../../components/steps/scripts/pause";
import { resume } from "../../components/steps/scripts/resume";
import { mainSays, publish, squashMerge } from "../../rehearsal/flux/reviewedRepository";
import { makePlatformCheckout } from "../../rehearsal/source/platformCheckout";
import { HELM_RELEASE_FILE, VARIABLES_FILE } from "../../rehearsal/source/platformFiles";
import { releaseSecret, revisionPath } from "../support/helmRelease";
import { StepWorld } from "../support/stepContext";

const RELEASE = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/openbao/helmreleases/openbao";
const OWNER = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/infra";
const SOURCE = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/flux-system";
const VARIABLES = "/api/v1/namespaces/flux-system/configmaps/variables-cluster";
const GIT = {
  branch: "openbao-raft",
  helmRelease: HELM_RELEASE_FILE,
  variables: VARIABLES_FILE,
  replicasVariable: "openbao_replicas",
  push: true,
};

const RECONCILE = "kustomize.toolkit.fluxcd.io/reconcile";

interface Seen {
  readonly metadata: { generation: number; annotations?: Record<string, string> };
  readonly spec: { suspend?: boolean; values: Record<string, Record<string, unknown>> };
}

describe("resuming Flux, which follows Git (hazard F69)", () => {
  /** Landed and pushed once, and copied for each test: each process that git starts costs. */
  let template: string;
  let dir: string;
  let bare: string;
  let checkout: string;
  let values: Record<string, unknown>;
  let world: StepWorld;
  /** What the stand-in for kustomize-controller writes into the HelmRelease when it runs. */
  let applies: object;

  before(async () => {
    template = mkdtempSync(join(tmpdir(), "resume-git-template-"));
    const made = join(template, "platform");
    await makePlatformCheckout(made);
    execFileSync("git", ["-C", made, "config", "maintenance.auto", "false"]);
    await publish(made, join(template, "platform.git"));
    const plan = { ...GIT, checkout: made, release: "openbao", namespace: "openbao", replicas: 3 };
    ({ values } = await land(plan));
    execFileSync("git", ["-C", made, "push", "--quiet", "origin", GIT.branch]);
  });
  after(() => rmSync(template, { recursive: true, force: true }));

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "resume-git-"));
    [bare, checkout] = [join(dir, "platform.git"), join(dir, "platform")];
    cpSync(template, dir, { recursive: true });
    execFileSync("git", ["-C", checkout, "remote", "set-url", "origin", bare]);
    applies = {};
    world = await movedWorld();
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const peek = (path: string) => world.kube.peek<Seen>(path)!;
  const mainCommit = (): string =>
    execFileSync("git", ["-C", bare, "rev-parse", "main"], { encoding: "utf8" }).trim();
  const run = () => runBeats(resume, { ...world.context, input: { ...world.context.input, step: "resume" } });

  /** Paused, moved by hand, landed; Flux still follows the old commit, and looks at its remote when asked. */
  async function movedWorld(): Promise<StepWorld> {
    const made = new StepWorld("pause");
    Object.assign(made.context.input, { git: { ...GIT, checkout } });
    const labels = {
      "kustomize.toolkit.fluxcd.io/name": "infra",
      "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    };
    made.kube.put(RELEASE, {
      metadata: { name: "openbao", namespace: "openbao", generation: 1, labels },
      spec: { values },
      status: { observedGeneration: 999, conditions: [{ type: "Ready", status: "True" }] },
    });
    made.kube.put(OWNER, {
      metadata: { name: "infra", generation: 1 },
      spec: {
        sourceRef: { kind: "GitRepository", name: "flux-system" },
        postBuild: { substituteFrom: [{ kind: "ConfigMap", name: "variables-cluster" }] },
      },
      status: { conditions: [{ type: "Ready", status: "True", observedGeneration: 1 }] },
    });
    made.kube.put(SOURCE, { spec: {}, status: { artifact: { revision: `main@sha1:${mainCommit()}` } } });
    made.kube.put(VARIABLES, { data: { openbao_replicas: "3" } });
    await runBeats(pause, made.context);
    made.onRaft().statefulSet(3);
    await made.done("land-git");
    made.kube.onWrite(({ path, body }) => react(made, path, body));
    return made;
  }

  /** source-controller and kustomize-controller, as far as the step looks at them. */
  function react(made: StepWorld, path: string, body: unknown): void {
    const said = body as {
      metadata?: { annotations?: Record<string, string> };
      spec?: { suspend?: unknown };
    };
    if (path === SOURCE) {
      const lastHandledReconcileAt = said.metadata?.annotations?.["reconcile.fluxcd.io/requestedAt"];
      const artifact = { revision: `main@sha1:${mainCommit()}` };
      made.kube.put(SOURCE, { spec: {}, status: { lastHandledReconcileAt, artifact } });
    }
    if (path === OWNER && said.spec?.suspend === null) {
      const owner = made.kube.peek<Record<string, unknown> & { metadata: { generation: number } }>(OWNER)!;
      const ready = { type: "Ready", status: "True", observedGeneration: owner.metadata.generation + 1 };
      setImmediate(() => {
        const release = made.kube.peek<Seen & Record<string, unknown>>(RELEASE)!;
        const live = release.spec.values["server"];
        const server = { ...live, ...applies };
        made.kube.put(RELEASE, {
          ...release,
          spec: { ...release.spec, values: { ...release.spec.values, server } },
        });
        const now = made.kube.peek<Record<string, unknown>>(OWNER)!;
        made.kube.put(OWNER, { ...now, status: { conditions: [ready] } });
      });
    }
  }

  async function refused(words: RegExp): Promise<void> {
    await assert.rejects(run(), (error: unknown) => {
      assert.equal(error instanceof Refused && error.hazard, "F69", String(error));
      assert.match((error as Error).message, words);
      return true;
    });
  }

  it("is refused while the change set is not merged, and nothing is resumed", async () => {
    assert.equal(await mainSays(bare), "standalone");
    await refused(
      /gitrepositories\/flux-system at main@sha1:[0-9a-f]{40}.*server\.standalone\.enabled.*openbao-raft.*pulumi up again/,
    );
    assert.equal(peek(OWNER).spec.suspend, true);
    assert.equal(peek(RELEASE).spec.suspend, true);
    assert.equal(peek(RELEASE).metadata.annotations?.["kustomize.toolkit.fluxcd.io/reconcile"], "disabled");
  });

  it("goes on after a squash merge that Flux had not seen yet: Flux is asked to look, the commit is fetched", async () => {
    await refused(/not|differs/);
    const commit = await squashMerge(bare, GIT.branch);
    assert.equal(await mainSays(bare), "raft with 3 replicas");
    assert.equal((await run()).result, "done");
    assert.equal(peek(OWNER).spec.suspend, undefined);
    assert.equal(peek(RELEASE).spec.suspend, undefined);
    assert.match(
      world.kube.peek<{ status: { artifact: { revision: string } } }>(SOURCE)!.status.artifact.revision,
      new RegExp(commit),
    );
  });

  it("un-pauses the Kustomization first, the HelmRelease after it has applied, and lets its parent in last (I38)", async () => {
    await squashMerge(bare, GIT.branch);
    world.kube.writes.length = 0;
    await run();
    type Said = { spec?: { suspend?: unknown }; metadata?: { annotations?: Record<string, unknown> } };
    const resumed = world.kube.writes
      .filter(({ body }) => (body as Said)?.spec?.suspend === null)
      .map(({ path, body }) => [path, (body as Said).metadata?.annotations?.[RECONCILE] === null]);
    assert.deepEqual(resumed, [
      [OWNER, false],
      [RELEASE, false],
      [OWNER, true],
    ]);
    assert.equal(peek(OWNER).metadata.annotations?.[RECONCILE], undefined);
  });

  it("lets the parent in earlier where the Kustomization itself says the old count: only the parent can change it", async () => {
    await squashMerge(bare, GIT.branch);
    await world.kube.mergePatch(OWNER, { spec: { postBuild: { substitute: { openbao_replicas: "1" } } } });
    world.kube.onWrite(({ path }) => {
      const owner = path === OWNER ? peek(OWNER) : undefined;
      if (owner === undefined || owner.metadata.annotations?.[RECONCILE] === "disabled") return;
      const { spec } = owner as unknown as { spec: { postBuild: object } };
      const postBuild = { ...spec.postBuild, substitute: { openbao_replicas: "3" } };
      world.kube.put(OWNER, { ...owner, spec: { ...spec, postBuild } });
    });
    assert.equal((await run()).result, "done");
  });

  it("journals pods and chart before the un-pause and not after it, for the proof that nothing was restarted (I39)", async () => {
    const labels = { "app.kubernetes.io/instance": "openbao", component: "server" };
    const pod = "/api/v1/namespaces/openbao/pods/openbao-0";
    world.kube.put(pod, { metadata: { name: "openbao-0", uid: "uid-0", labels } });
    world.kube.put(revisionPath(7), releaseSecret({ revision: 7 }));
    await squashMerge(bare, GIT.branch);
    await run();
    const acts = async () =>
      (await world.context.journal.entries())
        .filter(({ step, beat }) => step === "resume" && beat === "act")
        .map(({ observed }) => observed);
    const before = { pods: { "openbao-0": "uid-0/0" }, revision: 7, chart: "openbao 0.29.2" };
    assert.deepEqual(await acts(), [before]);
    // A kill after the un-pause: what runs now may have been restarted by it.
    world.kube.drop("/api/v1/namespaces/openbao/configmaps/openbao-raft-migration-journal");
    await world.done("land-git");
    await run();
    assert.deepEqual(await acts(), [{}]);
  });

  it("is refused while the cluster's variables still ask for one replica: Raft with one of three loses its quorum", async () => {
    await squashMerge(bare, GIT.branch);
    world.kube.put(VARIABLES, { data: { openbao_replicas: "1" } });
    await assert.rejects(run(), /waited 1 s for the variables of kustomizations\/infra.*last seen: "1"/);
    assert.equal(peek(OWNER).spec.suspend, true);
  });

  it("is refused when the live values were taken back", async () => {
    await squashMerge(bare, GIT.branch);
    await world.kube.mergePatch(RELEASE, { spec: { values: { server: { ha: { enabled: false } } } } });
    await refused(/does not ask for Raft with 3 replicas/);
  });

  it("pauses all again, with the values as they were, when an overlay takes them back", async () => {
    await squashMerge(bare, GIT.branch);
    applies = { standalone: { enabled: true } };
    await refused(/takes back what runs: server\.standalone\.enabled.*paused again/);
    assert.equal(peek(OWNER).spec.suspend, true);
    assert.equal(peek(OWNER).metadata.annotations?.[RECONCILE], "disabled");
    const { metadata, spec } = peek(RELEASE);
    assert.equal(spec.suspend, true);
    assert.equal(metadata.annotations?.["kustomize.toolkit.fluxcd.io/reconcile"], "disabled");
    assert.equal((spec.values["server"]!["standalone"] as { enabled: boolean }).enabled, false);
    applies = { standalone: { enabled: false } };
    assert.equal((await run()).result, "done");
  });

  it("asks nothing of Git when the user had suspended the Kustomization before, as the journal says (I38)", async () => {
    const before = { [OWNER]: { suspend: true } };
    await world.context.journal.append({ step: "pause", beat: "act", observed: { before } });
    assert.equal((await run()).result, "done");
    assert.equal(peek(OWNER).spec.suspend, true);
    assert.equal(peek(OWNER).metadata.annotations?.[RECONCILE], undefined);
  });

  it("asks nothing of Git when the Kustomization is suspended without our mark", async () => {
    const { metadata: _own, ...rest } = world.kube.peek<Record<string, unknown>>(OWNER)!;
    world.kube.put(OWNER, { ...rest, metadata: { name: "infra", generation: 2 }, spec: { suspend: true } });
    assert.equal((await run()).result, "done");
    assert.equal(peek(OWNER).spec.suspend, true);
  });
});
