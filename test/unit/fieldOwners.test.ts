import assert from "node:assert/strict";
import { FIELD_MANAGER } from "../../components/cluster/kubeClient";
import { OUR_MANAGERS, ownersOf } from "../../components/cluster/fieldOwners";
import { fieldChecks } from "../../components/gate/fieldChecks";
import { OWNED_VALUES } from "../../components/openBaoConfig/targetValues";
import { OpenBaoRelease } from "../../components/openBaoRelease";
import { ReplicaChange } from "../../components/replicaChange";
import { OWNERS_ANNOTATION, WRITTEN_FIELDS } from "../../components/steps/fieldConflicts";
import { managedBy } from "../support/fakeFields";
import { FakeKube } from "../support/fakeKube";
import { recordResources } from "../support/recordResources";
import { configOf, raftWorld, RELEASE, standaloneWorld, type World } from "../support/snapshotBuilder";

const T0 = "2026-11-24T07:00:00Z";
const T1 = "2026-11-24T08:30:00Z";
const STANDALONE = ["spec", "values", "server", "standalone", "enabled"];
const REPLICAS = ["spec", "values", "server", "ha", "replicas"];

async function judge(world: World, stage = "verify") {
  const config = configOf({ stage });
  return fieldChecks[0]!.judge(await world.snapshot(config), config);
}

describe("the owners of a field", () => {
  const object = (fieldsV1: object) => ({ metadata: { managedFields: [{ manager: "m", fieldsV1 }] } });
  const owned = (fieldsV1: object) => ownersOf(object(fieldsV1), ["spec", "values", "a"]).length === 1;

  it("are found at the field, at a part of it, and at a map that is owned as a whole", () => {
    assert.equal(owned({ "f:spec": { "f:values": { "f:a": {} } } }), true);
    assert.equal(owned({ "f:spec": { "f:values": { "f:a": { "f:b": {} } } } }), true);
    assert.equal(owned({ "f:spec": { "f:values": {} } }), true);
  });

  it("are not those of a neighbour, of a map that is only there, or of nothing", () => {
    assert.equal(owned({ "f:spec": { "f:values": { "f:b": {} } } }), false);
    assert.equal(owned({ "f:spec": { "f:values": { ".": {} } } }), false);
    assert.equal(owned({}), false);
  });

  it("do not count where a subresource is written, and are read from any JSON", () => {
    const status = { manager: "m", subresource: "status", fieldsV1: { "f:spec": {} } };
    assert.deepEqual(ownersOf({ metadata: { managedFields: [status] } }, ["spec", "suspend"]), []);
    for (const hostile of [
      null,
      7,
      { metadata: { managedFields: "x" } },
      { metadata: { managedFields: [null, 3] } },
    ])
      assert.deepEqual(ownersOf(hostile, ["spec"]), []);
  });
});

describe("the fields that this program owns", () => {
  it("are, of the values, exactly those that the layers write: one field, one layer (F53)", async () => {
    const seen = await recordResources(true, () => {
      const names = { namespace: "openbao", release: "openbao" };
      new OpenBaoRelease("r", { ...names, raftConfig: "hcl", applied: false });
      new ReplicaChange("c", { ...names, replicas: 3 });
    });
    const layers = seen.filter(({ type }) => type.endsWith("HelmReleasePatch"));
    const paths = layers.flatMap(({ inputs }) => leavesOf((inputs["spec"] as { values: object }).values));
    assert.deepEqual(paths.sort(), OWNED_VALUES.map((path) => path.join(".")).sort());
    const managers = layers.map(({ inputs }) => {
      const { annotations } = inputs["metadata"] as { annotations: Record<string, string> };
      return annotations["pulumi.com/patchFieldManager"];
    });
    assert.deepEqual(managers, [OUR_MANAGERS.values, OUR_MANAGERS.replicas]);
    assert.equal(FIELD_MANAGER, OUR_MANAGERS.calls);
  });
});

describe("gate check field-owners (I1, F53)", () => {
  const by = (manager: string, fields: readonly (readonly string[])[], time = T0) =>
    managedBy(manager, "Apply", time, fields);
  const owned = (world: World, ...managedFields: object[]): World =>
    world.patch(RELEASE, { metadata: { managedFields } });

  it("shows from whom the values will be taken by force", async () => {
    const world = owned(standaloneWorld(), by("kustomize-controller", [STANDALONE, REPLICAS]));
    const { verdict, found } = await judge(world);
    assert.equal(verdict, "pass");
    assert.equal(
      found,
      "will be taken from kustomize-controller: server.standalone.enabled, server.ha.replicas",
    );
  });

  it("lets tools pass that a person called before the pause", async () => {
    for (const manager of ["kubectl-edit", "kubectl-client-side-apply", "kubectl", "flux", "helm-controller"])
      assert.equal(
        (await judge(owned(standaloneWorld(), by(manager, [STANDALONE])))).verdict,
        "pass",
        manager,
      );
  });

  it("stops for the Kustomization's controller where no Kustomization is known that the pause suspends (I38)", async () => {
    const world = owned(standaloneWorld(), by("kustomize-controller", [STANDALONE]));
    const release = world.kube.peek<{ metadata: { labels?: object } }>(RELEASE)!;
    delete release.metadata.labels;
    world.kube.put(RELEASE, release as object as Record<string, unknown>);
    assert.match((await judge(world)).found, /standalone\.enabled by kustomize-controller/);
  });

  describe("while the pause holds", () => {
    const paused = (recorded: object): World =>
      raftWorld().patch(RELEASE, {
        metadata: { annotations: { [OWNERS_ANNOTATION]: JSON.stringify(recorded) } },
      });
    const recorded = { [STANDALONE.join(".")]: [`kustomize-controller (Apply, ${T0})`] };

    it("shows from whom they were taken, and lets the owner pass that the pause recorded", async () => {
      const world = owned(paused(recorded), by("kustomize-controller", [STANDALONE]));
      const { verdict, found } = await judge(world);
      assert.deepEqual(
        [verdict, found],
        ["pass", "taken from kustomize-controller: server.standalone.enabled"],
      );
    });

    it("stops when the recorded owner has written since", async () => {
      const world = owned(paused(recorded), by("kustomize-controller", [STANDALONE], T1));
      const { verdict, found } = await judge(world);
      assert.deepEqual(
        [verdict, found],
        ["fail", `${STANDALONE.join(".")} by kustomize-controller (Apply, ${T1})`],
      );
    });

    it("stops for a person's tool, too, and names each field with its manager and time", async () => {
      const world = owned(paused({}), by("kubectl-edit", [REPLICAS, ["spec", "suspend"]], T1));
      assert.equal(
        (await judge(world)).found,
        `${REPLICAS.join(".")} by kubectl-edit (Apply, ${T1}), spec.suspend by kubectl-edit (Apply, ${T1})`,
      );
    });

    it("lets this program's own managers pass", async () => {
      const ours = Object.values(OUR_MANAGERS).map((manager) => by(manager, WRITTEN_FIELDS, T1));
      assert.equal((await judge(owned(paused({}), ...ours))).verdict, "pass");
    });
  });
});

describe("the fake API server's record of owners", () => {
  const PATH = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/openbao/helmreleases/x";
  const made = () =>
    new FakeKube().put(PATH, {
      metadata: { managedFields: [managedBy("git", "Apply", T0, [STANDALONE, REPLICAS])] },
      spec: { values: { server: { standalone: { enabled: true }, ha: { replicas: 1 } } } },
    });
  const names = (kube: FakeKube, path: readonly string[]) =>
    ownersOf(kube.peek(PATH), path).map(({ manager, operation }) => `${manager} ${operation}`);

  it("gives a changed field to its writer alone, and leaves the time of the others", async () => {
    const kube = made();
    await kube.mergePatch(PATH, { spec: { values: { server: { standalone: { enabled: false } } } } });
    assert.deepEqual(names(kube, STANDALONE), [`${FIELD_MANAGER} Update`]);
    assert.deepEqual(names(kube, REPLICAS), ["git Apply"]);
    assert.equal(ownersOf(kube.peek(PATH), REPLICAS)[0]!.time, T0);
  });

  it("leaves an owner alone when the value stays, and none when the field goes", async () => {
    const kube = made();
    await kube.mergePatch(PATH, { spec: { values: { server: { standalone: { enabled: true } } } } });
    assert.deepEqual(names(kube, STANDALONE), ["git Apply"]);
    await kube.mergePatch(PATH, { spec: { values: { server: { standalone: null } } } });
    assert.deepEqual(names(kube, STANDALONE), []);
  });
});

function leavesOf(node: object, path: readonly string[] = []): string[] {
  return Object.entries(node).flatMap(([key, value]) =>
    typeof value === "object" && value !== null
      ? leavesOf(value as object, [...path, key])
      : [[...path, key].join(".")],
  );
}
