import assert from "node:assert/strict";
import { access, lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { V1PersistentVolume, V1PersistentVolumeClaim, V1StorageClass } from "@kubernetes/client-node";
import { isDiscarded, volumeFor, wantsVolume } from "../../rehearsal/standins/localPathProvisioner/volumeFor";
import {
  makeVolumeFolder,
  removeVolumeFolder,
} from "../../rehearsal/standins/localPathProvisioner/volumeFolder";

const uid = "0b2f6a1e-4c5d-4e6f-8a9b-0123456789ab";
const storageClass: V1StorageClass = {
  metadata: { name: "rehearsal-local" },
  provisioner: "rehearsal/local-path",
};

function claim(annotations: Record<string, string> = {}, spec: object = {}): V1PersistentVolumeClaim {
  return {
    metadata: {
      name: "data-openbao-0",
      namespace: "openbao",
      uid,
      annotations: {
        "volume.kubernetes.io/storage-provisioner": "rehearsal/local-path",
        "volume.kubernetes.io/selected-node": "node-2",
        ...annotations,
      },
    },
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: "rehearsal-local",
      resources: { requests: { storage: "10Gi" } },
      ...spec,
    },
    status: { phase: "Pending" },
  };
}

describe("localPathProvisioner stand-in: which claims it serves", () => {
  it("serves a pending claim of its own once a node is chosen", () => {
    assert.ok(wantsVolume(claim()));
  });

  it("waits while no node is chosen, so that the pod's placement decides", () => {
    assert.equal(wantsVolume(claim({ "volume.kubernetes.io/selected-node": "" })), false);
  });

  it("leaves claims of another provisioner, bound ones and deleted ones alone", () => {
    assert.equal(
      wantsVolume(claim({ "volume.kubernetes.io/storage-provisioner": "csi.hetzner.cloud" })),
      false,
    );
    assert.equal(wantsVolume(claim({}, { volumeName: "pvc-x" })), false);
    assert.equal(wantsVolume({ ...claim(), status: { phase: "Bound" } }), false);
    const deleted = claim();
    deleted.metadata!.deletionTimestamp = new Date();
    assert.equal(wantsVolume(deleted), false);
  });
});

describe("localPathProvisioner stand-in: the volume of a claim", () => {
  it("takes size, access modes and class from the claim and is bound to it by uid", () => {
    const { metadata, spec } = volumeFor(claim(), storageClass, "/volumes");
    assert.equal(metadata?.name, `pvc-${uid}`);
    assert.deepEqual(spec?.capacity, { storage: "10Gi" });
    assert.deepEqual(spec?.accessModes, ["ReadWriteOnce"]);
    assert.equal(spec?.storageClassName, "rehearsal-local");
    assert.equal(spec?.claimRef?.uid, uid);
    assert.equal(`${spec?.claimRef?.namespace}/${spec?.claimRef?.name}`, "openbao/data-openbao-0");
  });

  it("lies in a folder of its own and is usable on the chosen node only", () => {
    const { spec } = volumeFor(claim(), storageClass, "/volumes");
    assert.equal(spec?.local?.path, `/volumes/pvc-${uid}`);
    assert.deepEqual(spec?.nodeAffinity?.required?.nodeSelectorTerms, [
      { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["node-2"] }] },
    ]);
  });

  it("follows the reclaim policy of the class, which is Delete by default", () => {
    const policy = (given?: string): string | undefined =>
      volumeFor(claim(), { ...storageClass, reclaimPolicy: given }, "/volumes").spec
        ?.persistentVolumeReclaimPolicy;
    assert.deepEqual([policy("Retain"), policy()], ["Retain", "Delete"]);
  });

  it("refuses a block volume and a claim without a size", () => {
    assert.throws(() => volumeFor(claim({}, { volumeMode: "Block" }), storageClass, "/volumes"), /Block/);
    assert.throws(() => volumeFor(claim({}, { resources: {} }), storageClass, "/volumes"), /storage request/);
  });

  it("discards only its own released volumes whose policy is Delete", () => {
    const volume = volumeFor(claim(), { ...storageClass, reclaimPolicy: "Delete" }, "/volumes");
    const inPhase = (phase: string, change: object = {}): V1PersistentVolume => ({
      ...volume,
      status: { phase },
      spec: { ...volume.spec, ...change },
    });
    assert.ok(isDiscarded(inPhase("Released")));
    assert.equal(isDiscarded(inPhase("Bound")), false);
    assert.equal(isDiscarded(inPhase("Released", { persistentVolumeReclaimPolicy: "Retain" })), false);
    assert.equal(isDiscarded({ ...inPhase("Released"), metadata: { name: `pvc-${uid}` } }), false);
  });
});

describe("localPathProvisioner stand-in: folders", () => {
  let dir: string;
  let path: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "local-path-"));
    path = join(dir, `pvc-${uid}`);
  });
  afterEach(() => rm(dir, { recursive: true }));

  it("makes a folder that any user can write to, and takes one left by a killed run", async () => {
    await makeVolumeFolder(dir, path);
    await writeFile(join(path, "kept"), "data");
    await makeVolumeFolder(dir, path);
    assert.equal((await lstat(path)).mode & 0o777, 0o777);
    assert.equal(await readFile(join(path, "kept"), "utf8"), "data");
  });

  it("removes a folder with its data, and is content when it is gone", async () => {
    await makeVolumeFolder(dir, path);
    await writeFile(join(path, "file"), "data");
    await removeVolumeFolder(dir, path);
    await assert.rejects(access(path));
    await removeVolumeFolder(dir, path);
  });

  it("removes nothing outside its own folder, or under a name that it never gives", async () => {
    const other = join(dir, "other");
    await mkdir(other);
    for (const wrong of [
      other,
      dir,
      join(dir, "..", "x"),
      join(path, "inner"),
      `${dir}/x/../pvc-${uid}`,
      `/pvc-${uid}`,
    ]) {
      await assert.rejects(removeVolumeFolder(dir, wrong), /not a volume folder/, wrong);
    }
    await access(other);
  });

  it("follows no symbolic link, neither in the folder's place nor inside it", async () => {
    const precious = join(dir, "precious");
    await mkdir(precious);
    await writeFile(join(precious, "file"), "data");
    await symlink(precious, path);
    await assert.rejects(removeVolumeFolder(dir, path), /not a folder/);
    await assert.rejects(makeVolumeFolder(dir, path), /not a folder|EEXIST/);
    await rm(path);
    await makeVolumeFolder(dir, path);
    await symlink(precious, join(path, "link"));
    await removeVolumeFolder(dir, path);
    assert.equal(await readFile(join(precious, "file"), "utf8"), "data");
  });
});

describe("localPathProvisioner stand-in: volumes that can be filled (hazards F33, F34)", () => {
  let volumes: string;
  let path: string;
  const ran: string[] = [];
  const run = (argv: readonly string[]) => Promise.resolve(void ran.push(argv.join(" ")));
  beforeEach(async () => {
    volumes = await mkdtemp(join(tmpdir(), "small-"));
    path = join(volumes, `pvc-${uid}`);
    ran.length = 0;
  });
  afterEach(() => rm(volumes, { recursive: true }));

  it("are file systems of their own where the class asks for it: filling one fills no disk of the machine", async () => {
    await makeVolumeFolder(volumes, path, "192Mi", run);
    assert.deepEqual(ran, [`mount -t tmpfs -o size=192m tmpfs ${path}`]);
    await makeVolumeFolder(volumes, join(volumes, `pvc-${uid.replace("0b", "0c")}`), undefined, run);
    assert.equal(ran.length, 1, "others are folders");
  });

  it("are refused with a size that mount would take for another", async () => {
    for (const size of ["192", "1G", "0Mi", "1Mi,remount"])
      await assert.rejects(
        makeVolumeFolder(volumes, path, size, run),
        /parameter memory .*expected a size such as/,
      );
    assert.deepEqual(ran, []);
  });

  it("leave no mount behind, and a folder is never unmounted", async () => {
    await makeVolumeFolder(volumes, path);
    await removeVolumeFolder(volumes, path, run);
    assert.deepEqual(ran, []);
  });
});
