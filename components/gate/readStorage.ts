import { at, booleanAt, listAt, nameOf, numberAt, textAt, textsAt } from "./fields";
import { ordinalOf } from "./readWorkload";

export interface ClaimView {
  readonly name: string;
  readonly uid: string;
  /** Name of the claim template: "data" or "audit". */
  readonly template: string;
  readonly ordinal: number;
  readonly phase: string;
  readonly volume: string;
  readonly storageClass: string;
  readonly size: string;
  readonly accessModes: readonly string[];
  readonly terminating: boolean;
}

/** A claim of the StatefulSet's templates data and audit; others give undefined. */
export function claimView(object: unknown, release: string): ClaimView | undefined {
  const name = nameOf(object);
  for (const template of ["data", "audit"]) {
    const ordinal = ordinalOf(name, `${template}-${release}`);
    if (ordinal === undefined) continue;
    return {
      name,
      uid: textAt(object, "metadata", "uid") ?? "",
      template,
      ordinal,
      phase: textAt(object, "status", "phase") ?? "",
      volume: textAt(object, "spec", "volumeName") ?? "",
      storageClass: textAt(object, "spec", "storageClassName") ?? "",
      size: textAt(object, "spec", "resources", "requests", "storage") ?? "",
      accessModes: textsAt(object, "spec", "accessModes"),
      terminating: at(object, "metadata", "deletionTimestamp") !== undefined,
    };
  }
  return undefined;
}

export interface VolumeView {
  readonly name: string;
  readonly claim: string;
  readonly reclaimPolicy: string;
  readonly phase: string;
}

export function volumeView(object: unknown): VolumeView {
  return {
    name: nameOf(object),
    claim: textAt(object, "spec", "claimRef", "name") ?? "",
    reclaimPolicy: textAt(object, "spec", "persistentVolumeReclaimPolicy") ?? "",
    phase: textAt(object, "status", "phase") ?? "",
  };
}

export interface StorageClassView {
  readonly name: string;
  readonly isDefault: boolean;
  readonly reclaimPolicy: string;
  readonly bindingMode: string;
  readonly expandable: boolean;
}

export function storageClassView(object: unknown): StorageClassView {
  return {
    name: nameOf(object),
    isDefault:
      textAt(object, "metadata", "annotations", "storageclass.kubernetes.io/is-default-class") === "true",
    reclaimPolicy: textAt(object, "reclaimPolicy") ?? "Delete",
    bindingMode: textAt(object, "volumeBindingMode") ?? "Immediate",
    expandable: booleanAt(object, "allowVolumeExpansion") === true,
  };
}

/** Room on the volume of one claim, as its kubelet measured it, in bytes. */
export interface VolumeUse {
  readonly claim: string;
  readonly node: string;
  readonly capacityBytes: number;
  readonly availableBytes: number;
  readonly usedBytes: number;
  readonly inodesFree?: number;
  readonly inodesUsed?: number;
}

/** Claims of `namespace` in a kubelet's stats/summary. */
export function volumeUses(summary: unknown, node: string, namespace: string): VolumeUse[] {
  return listAt(summary, "pods")
    .flatMap((pod) => listAt(pod, "volume"))
    .filter((volume) => textAt(volume, "pvcRef", "namespace") === namespace)
    .flatMap((volume) => {
      const claim = textAt(volume, "pvcRef", "name");
      const capacityBytes = numberAt(volume, "capacityBytes");
      const availableBytes = numberAt(volume, "availableBytes");
      if (claim === undefined || capacityBytes === undefined || availableBytes === undefined) return [];
      return [
        {
          claim,
          node,
          capacityBytes,
          availableBytes,
          usedBytes: numberAt(volume, "usedBytes") ?? capacityBytes - availableBytes,
          inodesFree: numberAt(volume, "inodesFree"),
          inodesUsed: numberAt(volume, "inodesUsed"),
        },
      ];
    });
}

/** Bytes of a Kubernetes quantity such as "10Gi" or "500M"; undefined when it is none. */
export function bytesOf(quantity: string): number | undefined {
  const parts = /^(\d+(?:\.\d+)?)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/.exec(quantity);
  if (parts === null) return undefined;
  const unit = parts[2] ?? "";
  if (unit === "m") return Number(parts[1]) / 1000;
  const power = ["", "k", "M", "G", "T", "P", "E"].indexOf(unit.replace("i", "").replace("K", "k"));
  return Number(parts[1]) * (unit.endsWith("i") ? 1024 : 1000) ** power;
}
