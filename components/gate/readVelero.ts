import { itemsOf, type KubeClient, type KubeObject } from "../cluster/kubeClient";
import { labelsAt, listAt, nameOf, textAt } from "./fields";
import { snapshotClaims, snapshotsView, startOf, takesIn, type SnapshotsView } from "./veleroSnapshots";

/** The newest Velero backup that takes in OpenBao's namespace. */
export interface VeleroView {
  readonly name: string;
  readonly phase: string;
  /** RFC 3339; empty while it runs. */
  readonly completedAt: string;
  /** Volumes of OpenBao's pods whose content it holds for certain, as pod/volume or claim name. */
  readonly volumes: readonly string[];
  /** Whole-volume snapshots, whose counts name no claim. */
  readonly snapshots: SnapshotsView;
}

const CORE = "/apis/velero.io/v1";

/** Undefined when Velero is not installed; `newest` is undefined when none of its backups takes in the namespace. */
export async function readVelero(
  kube: KubeClient,
  namespace: string,
): Promise<{ readonly newest: VeleroView | undefined } | undefined> {
  const answer = await kube.find<KubeObject>(`${CORE}/backups`);
  if (answer === undefined) return undefined;
  const mine = itemsOf(`${CORE}/backups`, answer)
    .filter((backup) => takesIn(backup, namespace))
    .sort((a, b) => (startOf(a) < startOf(b) ? 1 : -1));
  const newest = mine[0];
  if (newest === undefined) return { newest: undefined };
  const name = nameOf(newest);
  const [files, uploads, snapshots, claims] = await Promise.all([
    kube.find<KubeObject>(`${CORE}/podvolumebackups`),
    kube.find<KubeObject>("/apis/velero.io/v2alpha1/datauploads"),
    snapshotsView(kube, newest, namespace),
    snapshotClaims(kube, name, namespace),
  ]);
  const ofIt = (list: unknown) =>
    listAt(list, "items").filter(
      (one) =>
        labelsAt(one, "metadata", "labels")["velero.io/backup-name"] === name &&
        textAt(one, "status", "phase") === "Completed",
    );
  return {
    newest: {
      name,
      phase: textAt(newest, "status", "phase") ?? "New",
      completedAt: textAt(newest, "status", "completionTimestamp") ?? "",
      snapshots,
      volumes: [
        ...claims,
        ...ofIt(files)
          .filter((one) => textAt(one, "spec", "pod", "namespace") === namespace)
          .map((one) => `${textAt(one, "spec", "pod", "name")}/${textAt(one, "spec", "volume")}`),
        ...ofIt(uploads)
          .filter((one) => textAt(one, "spec", "sourceNamespace") === namespace)
          .map((one) => textAt(one, "spec", "sourcePVC") ?? "?"),
      ],
    },
  };
}
