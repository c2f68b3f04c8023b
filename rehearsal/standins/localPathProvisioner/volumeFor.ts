import type { V1PersistentVolume, V1PersistentVolumeClaim, V1StorageClass } from "@kubernetes/client-node";
import { join } from "node:path";

/** The provisioner's name, as a StorageClass gives it. */
export const provisionerName = "rehearsal/local-path";

const provisionedBy = "pv.kubernetes.io/provisioned-by";
const selectedNode = "volume.kubernetes.io/selected-node";
const chosenProvisioners = [
  "volume.kubernetes.io/storage-provisioner",
  "volume.beta.kubernetes.io/storage-provisioner",
];

/** Whether the PVC controller has handed a claim to this provisioner and the scheduler has chosen its node. */
export function wantsVolume({ metadata, spec, status }: V1PersistentVolumeClaim): boolean {
  const annotations = metadata?.annotations ?? {};
  const ours = chosenProvisioners.some((key) => annotations[key] === provisionerName);
  const pending = !metadata?.deletionTimestamp && !spec?.volumeName && status?.phase === "Pending";
  return ours && pending && Boolean(annotations[selectedNode]);
}

/** Whether a volume is this provisioner's, has lost its claim, and may go with its data. */
export function isDiscarded({ metadata, spec, status }: V1PersistentVolume): boolean {
  return (
    metadata?.annotations?.[provisionedBy] === provisionerName &&
    spec?.persistentVolumeReclaimPolicy === "Delete" &&
    status?.phase === "Released"
  );
}

/**
 * The PersistentVolume for a claim: a folder of the claim's uid, usable on the chosen node only.
 * @param volumesDir absolute path of the folder that holds every volume.
 * @throws if the claim asks for what a folder cannot be, or has not been given a node.
 */
export function volumeFor(
  claim: V1PersistentVolumeClaim,
  storageClass: V1StorageClass,
  volumesDir: string,
): V1PersistentVolume {
  const { namespace, name, uid, annotations } = claim.metadata ?? {};
  const node = annotations?.[selectedNode];
  const storage = claim.spec?.resources?.requests?.["storage"];
  if (!uid || !node || !storage) {
    throw new Error(
      `claim ${namespace}/${name} lacks a uid, a selected node or a storage request; all three are needed`,
    );
  }
  if (claim.spec?.volumeMode === "Block") {
    throw new Error(`claim ${namespace}/${name} asks for volumeMode Block; a folder can only be Filesystem`);
  }
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: `pvc-${uid}`, annotations: { [provisionedBy]: provisionerName } },
    spec: {
      capacity: { storage },
      accessModes: claim.spec?.accessModes,
      volumeMode: "Filesystem",
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? "Delete",
      storageClassName: storageClass.metadata?.name,
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid },
      local: { path: join(volumesDir, `pvc-${uid}`) },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }] },
          ],
        },
      },
    },
  };
}
