import { chmod, lstat, mkdir, rm } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";

const folderName = /^pvc-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Makes the folder of a volume, or takes the one that a killed run left behind.
 * @throws if the path is not one of this provisioner's, or something else is there.
 */
export async function makeVolumeFolder(volumesDir: string, path: string): Promise<void> {
  requireOwnPath(volumesDir, path);
  await mkdir(path, { recursive: true });
  await requireFolder(path);
  // After mkdir, whose mode the umask would cut. Pods of any user write here, as on a fresh disk with fsGroup.
  await chmod(path, 0o777);
}

/**
 * Removes the folder of a volume with all its data; one that is gone already is fine.
 * @throws if the path is not one of this provisioner's, or is no folder (a symbolic link is never followed).
 */
export async function removeVolumeFolder(volumesDir: string, path: string): Promise<void> {
  requireOwnPath(volumesDir, path);
  try {
    await requireFolder(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  await rm(path, { recursive: true });
}

function requireOwnPath(volumesDir: string, path: string): void {
  if (path === resolve(path) && dirname(path) === resolve(volumesDir) && folderName.test(basename(path)))
    return;
  throw new Error(
    `"${path}" is not a volume folder of this provisioner; expected ${volumesDir}/pvc-<uid of a claim>`,
  );
}

async function requireFolder(path: string): Promise<void> {
  if ((await lstat(path)).isDirectory()) return;
  throw new Error(`"${path}" is not a folder; it is left as it is. Remove it by hand if it is not needed`);
}
