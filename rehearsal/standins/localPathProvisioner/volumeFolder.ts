import { chmod, lstat, mkdir, rm } from "node:fs/promises";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { basename, dirname, resolve } from "node:path";

const folderName = /^pvc-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Runs a program to its end. */
export type Runner = (argv: readonly string[]) => Promise<unknown>;

/**
 * Makes the folder of a volume, or takes the one that a killed run left behind.
 * @param memory size of a file system in memory that the volume is, such as "192Mi", where its class asks for one
 * @throws if the path is not one of this provisioner's, or something else is there.
 */
export async function makeVolumeFolder(
  volumesDir: string,
  path: string,
  memory?: string,
  run: Runner = runProgram,
): Promise<void> {
  requireOwnPath(volumesDir, path);
  await mkdir(path, { recursive: true });
  await requireFolder(path);
  if (memory !== undefined && !(await isMounted(path)))
    await run(["mount", "-t", "tmpfs", "-o", `size=${sizeOf(memory)}`, "tmpfs", path]);
  // After mkdir, whose mode the umask would cut. Pods of any user write here, as on a fresh disk with fsGroup.
  await chmod(path, 0o777);
}

/**
 * Removes the folder of a volume with all its data; one that is gone already is fine.
 * @throws if the path is not one of this provisioner's, or is no folder (a symbolic link is never followed).
 */
export async function removeVolumeFolder(
  volumesDir: string,
  path: string,
  run: Runner = runProgram,
): Promise<void> {
  requireOwnPath(volumesDir, path);
  try {
    await requireFolder(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if (await isMounted(path)) await run(["umount", path]);
  await rm(path, { recursive: true });
}

/** As mount takes it. @throws if the class names another form of size */
function sizeOf(memory: string): string {
  const [, count] = /^([1-9]\d*)Mi$/.exec(memory) ?? [];
  if (count !== undefined) return `${count}m`;
  throw new Error(
    `parameter memory ${JSON.stringify(memory)} of the StorageClass: expected a size such as "192Mi"`,
  );
}

async function isMounted(path: string): Promise<boolean> {
  const [own, above] = await Promise.all([lstat(path), lstat(dirname(path))]);
  return own.dev !== above.dev;
}

async function runProgram([file = "", ...args]: readonly string[]): Promise<void> {
  await promisify(execFile)(file, args, { timeout: 10_000 });
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
