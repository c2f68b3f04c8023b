/**
 * Stand-in for a CSI driver or the local-path provisioner, which cannot be had on a closed machine: gives each claim of
 * a StorageClass with provisioner `rehearsal/local-path` a folder and a PersistentVolume, and takes both away again.
 *
 * Precondition: KUBECONFIG, REHEARSAL_VOLUMES_DIR and REHEARSAL_READY_FILE are set; root.
 * Postcondition: claims are served once the ready file exists, until SIGTERM. Folders of live volumes stay.
 */
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import type { V1PersistentVolume, V1PersistentVolumeClaim, V1StorageClass } from "@kubernetes/client-node";
import { ApiError, ApiServer } from "../networkPolicy/apiServer";
import { FollowedList } from "../networkPolicy/followedList";
import { requiredEnv } from "../networkPolicy/requiredEnv";
import { runFollower } from "../networkPolicy/runFollower";
import { isDiscarded, volumeFor, wantsVolume } from "./volumeFor";
import { makeVolumeFolder, removeVolumeFolder } from "./volumeFolder";

const volumesPath = "/api/v1/persistentvolumes";

async function main(): Promise<void> {
  const volumesDir = resolve(requiredEnv("REHEARSAL_VOLUMES_DIR"));
  const api = new ApiServer(requiredEnv("KUBECONFIG"));
  // Pods of any user must be able to pass through on the way to their own folder.
  await mkdir(volumesDir, { recursive: true, mode: 0o755 });

  const claims = new FollowedList<V1PersistentVolumeClaim>(api, "/api/v1/persistentvolumeclaims");
  const volumes = new FollowedList<V1PersistentVolume>(api, volumesPath);
  const classes = new FollowedList<V1StorageClass>(api, "/apis/storage.k8s.io/v1/storageclasses");

  const provision = async (claim: V1PersistentVolumeClaim): Promise<void> => {
    const className = claim.spec?.storageClassName;
    const storageClass = classes.items().find(({ metadata }) => metadata?.name === className);
    if (!storageClass)
      throw new Error(`StorageClass "${className}" is not there; make it, or delete the claim`);
    const volume = volumeFor(claim, storageClass, volumesDir);
    if (volumes.items().some(({ metadata }) => metadata?.name === volume.metadata?.name)) return;
    await makeVolumeFolder(volumesDir, volume.spec?.local?.path ?? "", storageClass.parameters?.["memory"]);
    // Already there: an earlier pass made it and its event is still on the way.
    const made = await api.send({ method: "POST", path: volumesPath, body: volume }).catch(unless(409));
    if (made) log(`made ${volume.metadata?.name} for ${claim.metadata?.namespace}/${claim.metadata?.name}`);
  };
  const discard = async ({ metadata, spec }: V1PersistentVolume): Promise<void> => {
    await removeVolumeFolder(volumesDir, spec?.local?.path ?? "");
    const body = { preconditions: { uid: metadata?.uid } };
    await api.send({ method: "DELETE", path: `${volumesPath}/${metadata?.name}`, body }).catch(unless(404));
    log(`removed ${metadata?.name}`);
  };

  await runFollower({
    sources: [claims, volumes, classes],
    readyFile: requiredEnv("REHEARSAL_READY_FILE"),
    reconcile: async () => {
      for (const claim of claims.items().filter(wantsVolume)) await attempt(claim, provision);
      for (const volume of volumes.items().filter(isDiscarded)) await attempt(volume, discard);
      // One claim that cannot be served says so in the log each time; it does not make the provisioner unready.
      return true;
    },
  });
}

async function attempt<T extends V1PersistentVolumeClaim | V1PersistentVolume>(
  object: T,
  act: (object: T) => Promise<void>,
): Promise<void> {
  const { namespace, name } = object.metadata ?? {};
  await act(object).catch((error: unknown) => {
    log(
      `${namespace ? `${namespace}/` : ""}${name}: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
}

/** Swallows an API error of one HTTP status and throws on everything else. */
function unless(status: number): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof ApiError) || error.status !== status) throw error;
    return undefined;
  };
}

function log(message: string): void {
  console.error(`${new Date().toISOString()} ${message}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
