import { itemsOf, type KubeClient, type KubeObject } from "../cluster/kubeClient";
import { at, booleanAt, labelsAt, listAt, nameOf, numberAt, textAt, textsAt, timeOf } from "./fields";

/** Whole-volume snapshots of one backup, of Velero's own kind and of CSI. Velero may have removed their objects since. */
export interface SnapshotsView {
  readonly attempted: number;
  readonly completed: number;
  readonly errors: number;
  /** What in the backup's spec may have left a volume out. */
  readonly narrowed: readonly string[];
  /** Bound claims that it takes in; undefined when they could not be listed. */
  readonly claims?: number;
  /** Those of OpenBao's namespace among them, by name. */
  readonly own?: readonly string[];
}

const SNAPSHOTS = "/apis/snapshot.storage.k8s.io/v1";

/** True when the backup takes in `namespace`: no list, or "*", is every one. */
export function takesIn(backup: unknown, namespace: string): boolean {
  const included = textsAt(backup, "spec", "includedNamespaces");
  const all = at(backup, "spec", "includedNamespaces") === undefined || included.length === 0;
  return (
    (all || included.includes("*") || included.includes(namespace)) &&
    !textsAt(backup, "spec", "excludedNamespaces").includes(namespace)
  );
}

export function startOf(backup: unknown): string {
  return textAt(backup, "status", "startTimestamp") ?? textAt(backup, "metadata", "creationTimestamp") ?? "";
}

export async function snapshotsView(
  kube: KubeClient,
  backup: unknown,
  namespace: string,
): Promise<SnapshotsView> {
  const status = (key: string) => numberAt(backup, "status", key) ?? 0;
  const base = {
    attempted: status("volumeSnapshotsAttempted") + status("csiVolumeSnapshotsAttempted"),
    completed: status("volumeSnapshotsCompleted") + status("csiVolumeSnapshotsCompleted"),
    errors: status("errors"),
    narrowed: narrowings(backup),
  };
  if (base.completed === 0) return base;
  const included = textsAt(backup, "spec", "includedNamespaces");
  const alone = included.length === 1 && included[0] === namespace;
  const path = alone
    ? `/api/v1/namespaces/${namespace}/persistentvolumeclaims`
    : "/api/v1/persistentvolumeclaims";
  // Who may not list them leaves the count unknown, and nothing else.
  const claims = await kube.list<KubeObject>(path).catch(() => undefined);
  if (claims === undefined) return base;
  const started = timeOf(startOf(backup)) ?? 0;
  const taken = claims.filter(
    (claim) =>
      textAt(claim, "status", "phase") === "Bound" &&
      takesIn(backup, textAt(claim, "metadata", "namespace") ?? namespace) &&
      (timeOf(textAt(claim, "metadata", "creationTimestamp")) ?? 0) <= started,
  );
  const own = taken.filter((claim) => (textAt(claim, "metadata", "namespace") ?? namespace) === namespace);
  return { ...base, claims: taken.length, own: own.map(nameOf) };
}

/** Claims of `namespace` whose snapshot is there and ready: by the VolumeSnapshot, or by the content that outlives it. */
export async function snapshotClaims(kube: KubeClient, backup: string, namespace: string): Promise<string[]> {
  const list = (path: string) => kube.find<KubeObject>(path).catch(() => undefined);
  const [objects, contents] = await Promise.all([
    list(`${SNAPSHOTS}/namespaces/${namespace}/volumesnapshots`),
    list(`${SNAPSHOTS}/volumesnapshotcontents`),
  ]);
  const ready = (path: string, answer: KubeObject | undefined) =>
    (answer === undefined ? [] : itemsOf<KubeObject>(path, answer)).filter(
      (one) =>
        labelsAt(one, "metadata", "labels")["velero.io/backup-name"] === backup &&
        booleanAt(one, "status", "readyToUse") === true,
    );
  return [
    ...ready("volumesnapshots", objects).map(
      (one) => textAt(one, "spec", "source", "persistentVolumeClaimName") ?? nameOf(one),
    ),
    // Velero names a snapshot velero-CLAIM-xxxxx.
    ...ready("volumesnapshotcontents", contents)
      .filter((one) => textAt(one, "spec", "volumeSnapshotRef", "namespace") === namespace)
      .map((one) => textAt(one, "spec", "volumeSnapshotRef", "name") ?? "")
      .flatMap((name) => /^velero-(.+)-[a-z0-9]{5}$/.exec(name)?.[1] ?? []),
  ];
}

function narrowings(backup: unknown): string[] {
  const kinds = /^(?:\*|persistentvolumeclaims?|persistentvolumes?|pvcs?|pvs?)$/i;
  const included = textsAt(backup, "spec", "includedResources");
  const has = (key: string) => {
    const value = at(backup, "spec", key);
    return value !== undefined && value !== null;
  };
  return [
    ...(included.length > 0 && !included.some((one) => kinds.test(one)) ? ["includedResources"] : []),
    ...(textsAt(backup, "spec", "excludedResources").some((one) => kinds.test(one))
      ? ["excludedResources"]
      : []),
    ...(has("labelSelector") ? ["labelSelector"] : []),
    ...(listAt(backup, "spec", "orLabelSelectors").length > 0 ? ["orLabelSelectors"] : []),
    ...(has("resourcePolicy") ? ["resourcePolicy"] : []),
  ];
}
