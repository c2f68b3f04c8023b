import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { CLUSTER_READS, NAMESPACE_READS, SPARED_READS } from "../../components/gate/gateReads";
import { rightName, type Right } from "../../components/gate/readAccess";
import { ROLE_DOCS, roleDoc } from "../../components/gate/roleDoc";
import { rolesFor, rulesOf } from "../../components/gate/roles";
import { takeSnapshot } from "../../components/gate/snapshot";
import { configOf, standaloneWorld, type World } from "../support/snapshotBuilder";
import { recordingRights, type Place } from "../support/usedRights";

const CONFIG = {
  namespace: "openbao",
  delivery: "flux",
  fluxNamespace: "flux-system",
  sampleNamespaces: [],
  subject: { kind: "User", name: "someone" },
} as const;

/** A cluster in which the gate looks at everything that it knows of. */
function fullWorld(): World {
  const world = standaloneWorld();
  world.kube
    .put("/apis/velero.io/v1/namespaces/velero/backups/daily", {
      spec: { includedNamespaces: ["openbao", "velero"] },
      status: { phase: "Completed", volumeSnapshotsCompleted: 1 },
    })
    .serve("/apis/cilium.io/v2/namespaces/openbao/ciliumnetworkpolicies");
  return world;
}

/** Rights that the gate's look uses, as "verb resource", each with the place. */
async function usedByGate(): Promise<{ right: string; place: Place }[]> {
  const world = fullWorld();
  const used = new Map<string, { right: string; place: Place }>();
  const note = { add: (right: string, place: Place) => used.set(`${place} ${right}`, { right, place }) };
  const kube = recordingRights(world.kube, note);
  await takeSnapshot(configOf({ stage: "land", alerts: { enabled: true } }), { ...world.access, kube });
  return [...used.values()];
}

/** "verb resource" of each rule of one kind of Role, in OpenBao's namespace or in the cluster. */
function granted(kind: "Role" | "ClusterRole", delivery: "flux" | "helm" = "flux"): Set<string> {
  const role = rolesFor({ ...CONFIG, delivery }).find(
    (one) => one.kind === kind && [undefined, "openbao"].includes(one.metadata.namespace),
  );
  const names = (role?.["rules"] as ReturnType<typeof rulesOf>).flatMap(({ apiGroups, resources, verbs }) =>
    resources.flatMap((name) =>
      verbs.map((verb) => `${verb} ${name}${apiGroups[0] === "" ? "" : `.${apiGroups[0]}`}`),
    ),
  );
  return new Set(names);
}

describe("the Role that README gives (F59)", () => {
  it("is what the records say", () => {
    for (const { file, delivery } of ROLE_DOCS) {
      const text = readFileSync(file, "utf8");
      assert.equal(text, roleDoc(delivery), "run: node --import tsx components/gate/roleDoc.ts");
    }
  });

  it("holds all that the gate reads, but for what is spared: each verb that is removed is missed", async () => {
    const used = await usedByGate();
    const spared = new Set(SPARED_READS.map(rightName));
    const place = { namespace: granted("Role"), cluster: granted("ClusterRole") };
    const owners = ["get kustomizations.kustomize.toolkit.fluxcd.io"];
    const missing = used.filter(
      (one) => !place[one.place].has(one.right) && !(one.place === "cluster" && spared.has(one.right)),
    );
    assert.deepEqual(
      missing.map(({ right }) => right).filter((right) => !owners.includes(right)),
      [],
    );
  });

  it("holds nothing for the gate that it does not read", async () => {
    const used = await usedByGate();
    const at = (place: Place) => new Set(used.filter((one) => one.place === place).map(({ right }) => right));
    const unused = (reads: readonly Right[], place: Place) =>
      reads.map(rightName).filter((right) => !at(place).has(right));
    assert.deepEqual(unused(NAMESPACE_READS, "namespace"), []);
    assert.deepEqual(unused([...CLUSTER_READS, ...SPARED_READS], "cluster"), []);
  });

  it("reaches no container of a node, and no Secret outside OpenBao's namespace", () => {
    const roles = rolesFor(CONFIG).filter(
      ({ kind, metadata }) => kind === "ClusterRole" || metadata.namespace !== "openbao",
    );
    assert.doesNotMatch(JSON.stringify(roles), /nodes\/proxy|"secrets"|\*/);
    assert.doesNotMatch(JSON.stringify(rolesFor(CONFIG)), /nodes\/proxy|pods\/exec|\*/);
  });

  it("has Helm's rights in place of Flux's where Helm delivers", () => {
    assert.equal(granted("Role").has("patch helmreleases.helm.toolkit.fluxcd.io"), true);
    const helm = granted("Role", "helm");
    assert.deepEqual(
      [...helm].filter((right) => right.includes("fluxcd")),
      [],
    );
    assert.equal(helm.has("patch statefulsets.apps"), true);
    // What the chart's own Role grants: RBAC lets nobody grant more than they hold.
    assert.equal(helm.has("update pods") && helm.has("patch pods"), true);
    assert.equal(
      granted("ClusterRole", "helm").has("patch clusterrolebindings.rbac.authorization.k8s.io"),
      true,
    );
  });

  it("gives each sample's namespace a Role of its own", () => {
    const roles = rolesFor({ ...CONFIG, sampleNamespaces: ["app"] }).filter(
      ({ metadata }) => metadata.namespace === "app",
    );
    assert.deepEqual(
      roles.map(({ kind }) => kind),
      ["Role", "RoleBinding"],
    );
  });
});
