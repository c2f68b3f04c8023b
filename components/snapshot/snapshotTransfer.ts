import { createReadStream } from "node:fs";
import { link, open, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { mutating } from "../cluster/failpoint";
import { streaming, type OpenBao } from "../cluster/openBaoClient";
import { readSnapshot, SnapshotFault, type SnapshotFacts } from "./readSnapshot";

const PATH = "/v1/sys/storage/raft/snapshot";

/**
 * Takes a snapshot of one active node into a new file of mode 0600, and lets the file have its name only when it is
 * whole. An existing file is never written over.
 * @throws SnapshotFault when what came is not whole (hazard I23), or the folder cannot be written (hazard F65); Error
 * when the file exists or OpenBao says no.
 */
export async function saveSnapshot(
  bao: OpenBao,
  token: string,
  file: string,
  timeoutMs: number,
): Promise<SnapshotFacts> {
  const partial = `${file}.partial`;
  // Opened before anybody is asked: a stream that opens its file itself tells of it when nobody listens yet.
  const sink = (await openPartial(partial)).createWriteStream({ flush: true });
  try {
    const status = await streaming(bao).stream("GET", PATH, { token, timeoutMs, sink });
    if (status !== 200) {
      // A standby answers 307: the client would save that answer (hazard I23).
      throw new SnapshotFault(`${bao.where} answered ${status} to a snapshot, expected 200`, "F28");
    }
    const facts = await readSnapshot(partial);
    // Unlike rename, link refuses a name that is taken.
    await link(partial, file);
    await syncFolderOf(file);
    return facts;
  } finally {
    sink.destroy();
    await rm(partial, { force: true });
  }
}

/** Proves that a snapshot can be written to this path. @throws SnapshotFault (hazard F65) */
export async function assertWritable(file: string): Promise<void> {
  const partial = `${file}.partial`;
  await (await openPartial(partial)).close();
  await rm(partial, { force: true });
}

async function openPartial(partial: string): Promise<FileHandle> {
  try {
    // A piece of an earlier run that died: only these functions make files of that name.
    await rm(partial, { force: true });
    return await open(partial, "wx", 0o600);
  } catch (error) {
    throw new SnapshotFault(
      `no file can be written in the folder "${dirname(partial)}" (${(error as NodeJS.ErrnoException).code}); make the folder, let this user write there, or name another in openbao-migration:snapshot.file`,
      "F65",
    );
  }
}

/**
 * Replaces the whole store of one node by the snapshot, whatever its keys. Sent once. The answer is not to be trusted
 * either way (hazard I21): the caller looks at the node's state.
 * @returns the HTTP status
 */
export async function forceSnapshot(
  bao: OpenBao,
  token: string,
  file: string,
  timeoutMs: number,
): Promise<number> {
  const { size } = await stat(file);
  const source = createReadStream(file);
  const body = { source, bytes: size };
  return mutating(`POST ${PATH}-force`, () =>
    streaming(bao).stream("POST", `${PATH}-force`, { token, timeoutMs, body }),
  );
}

async function syncFolderOf(file: string): Promise<void> {
  const folder = await open(file.slice(0, file.lastIndexOf("/") + 1) || ".", "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
