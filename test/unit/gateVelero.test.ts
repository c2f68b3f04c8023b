import assert from "node:assert/strict";
import { gateRow } from "../support/gateRow";
import { backup } from "../support/placeHazards";
import { NS, standaloneWorld, type World } from "../support/snapshotBuilder";

const BACKUP = "/apis/velero.io/v1/namespaces/velero/backups/daily";
const SNAPSHOTS = "/apis/snapshot.storage.k8s.io/v1";
const WHOLE = { csiVolumeSnapshotsAttempted: 2, csiVolumeSnapshotsCompleted: 2 };

/** A backup of the namespace by snapshots alone; its two claims are older. */
function backedUp(status: object = WHOLE, spec: object = { includedNamespaces: ["openbao"] }): World {
  const world = standaloneWorld();
  for (const claim of ["data", "audit"])
    world.patch(`${NS}/persistentvolumeclaims/${claim}-openbao-0`, {
      metadata: { namespace: "openbao", creationTimestamp: "2026-01-01T00:00:00Z" },
    });
  world.kube.put(BACKUP, backup(status, spec));
  return world;
}

const judge = (world: World) => gateRow(world, "velero-backup", { stage: "cutover" });

describe("a Velero backup by volume snapshots (I25)", () => {
  it("is whole when each bound claim has one, by CSI or Velero's own, with no waiver", async () => {
    const native = { volumeSnapshotsAttempted: 2, volumeSnapshotsCompleted: 2 };
    for (const status of [WHOLE, native]) {
      const { outcome, found } = await judge(backedUp(status));
      assert.deepEqual(
        [outcome, found],
        ["PASS", "daily holds 2 of 2 volume snapshot(s), one for each of 2 bound claim(s)"],
      );
    }
    assert.equal((await judge(backedUp(WHOLE, {}))).outcome, "PASS");
  });

  it("is not whole when a snapshot failed (F31)", async () => {
    for (const status of [
      { ...WHOLE, csiVolumeSnapshotsAttempted: 3 },
      { ...WHOLE, errors: 1 },
    ])
      assert.equal((await judge(backedUp(status))).outcome, "FAIL");
  });

  it("is not known where another namespace's claims share the count", async () => {
    const world = backedUp(WHOLE, {});
    world.kube.put("/api/v1/namespaces/shop/persistentvolumeclaims/db", {
      metadata: { namespace: "shop", creationTimestamp: "2026-01-01T00:00:00Z" },
      status: { phase: "Bound" },
    });
    const { outcome, found } = await judge(world);
    assert.equal(outcome, "UNKNOWN");
    assert.match(found, /for 3 bound claim\(s\): openbao-0 may be none of them$/);
  });

  it("is not known where its spec may leave a volume out", async () => {
    for (const more of [
      { labelSelector: { matchLabels: { backup: "yes" } } },
      { resourcePolicy: { kind: "configmap", name: "skip" } },
      { includedResources: ["secrets"] },
      { excludedResources: ["persistentvolumes"] },
    ]) {
      const { outcome, found } = await judge(backedUp(WHOLE, { includedNamespaces: ["openbao"], ...more }));
      assert.equal(outcome, "UNKNOWN");
      assert.match(found, new RegExp(`its spec has ${Object.keys(more)[0]}`));
    }
  });

  it("is not known where the claim was made after the backup", async () => {
    const world = backedUp();
    const metadata = { creationTimestamp: "2026-11-24T05:00:00Z" };
    world.patch(`${NS}/persistentvolumeclaims/data-openbao-0`, { metadata });
    assert.equal((await judge(world)).outcome, "UNKNOWN");
  });

  it("is not known where the claims may not be listed", async () => {
    const world = backedUp(WHOLE, {});
    world.kube.fail("get", "/api/v1/persistentvolumeclaims", 403, "Forbidden");
    assert.match((await judge(world)).found, /claims that could not be counted/);
  });

  it("holds the claim that a VolumeSnapshot, or the content it left, names and says is ready", async () => {
    const labels = { "velero.io/backup-name": "daily" };
    const one = { csiVolumeSnapshotsAttempted: 1, csiVolumeSnapshotsCompleted: 1 };
    const plant = (path: string, spec: object, readyToUse: boolean) => {
      const world = backedUp(one);
      world.kube.put(`${SNAPSHOTS}/${path}`, { metadata: { labels }, spec, status: { readyToUse } });
      return judge(world);
    };
    const object = { source: { persistentVolumeClaimName: "data-openbao-0" } };
    const content = { volumeSnapshotRef: { namespace: "openbao", name: "velero-data-openbao-0-x7k2p" } };
    const shop = { volumeSnapshotRef: { namespace: "shop", name: "velero-data-openbao-0-x7k2p" } };
    for (const [path, spec] of [
      ["namespaces/openbao/volumesnapshots/a", object],
      ["volumesnapshotcontents/a", content],
    ] as const) {
      assert.equal((await plant(path, spec, true)).outcome, "PASS");
      assert.equal((await plant(path, spec, false)).outcome, "UNKNOWN");
    }
    assert.equal((await plant("volumesnapshotcontents/a", shop, true)).outcome, "UNKNOWN");
  });
});
