import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

const AUDIT_LOG = "audit.log";
const KEPT_LOG = "audit.log.before-fault";
/** Beside the program's own copies, which its comparisons leave out; as a stray file it would be refused by itself. */
const KEEP = ".openbao-raft-migration";
const FILLER = ".fault-filler";
const TMPFS = 0x01021994;
const MIB = 1024 * 1024;
/** A file system that is larger is not one that the rehearsal made to be filled. */
const MOST_BYTES = 1024 * MIB;

/**
 * A folder takes the place of the audit log, so that no server can open it anew; one that has it open writes on. The
 * mode would not do: the kubelet puts it right at the next mount.
 */
export function breakAuditPath(volume: string): void {
  const [log, kept] = [join(volume, AUDIT_LOG), join(volume, KEPT_LOG)];
  if (existsSync(kept)) throw new Error(`${kept} is there already: an earlier fault was not healed`);
  if (existsSync(log)) renameSync(log, kept);
  else mkdirSync(kept);
  mkdirSync(log);
}

/**
 * Fills the volume to its last byte. @returns the bytes written
 * @throws Error when it is no small file system of its own: the machine's disk is never filled
 */
export function fillVolume(volume: string, statfs: typeof statfsSync = statfsSync): number {
  const { type, blocks, bsize } = statfs(volume);
  const most = blocks * bsize;
  if (type !== TMPFS || most > MOST_BYTES)
    throw new Error(
      `${volume} is no small file system of its own; expected one of npm run faults -- --small-volumes`,
    );
  const folder = join(volume, KEEP);
  if (!existsSync(folder))
    throw new Error(`${folder} is not there yet: fill the volume after step file-copy`);
  const file = openSync(join(folder, FILLER), "wx", 0o600);
  let written = 0;
  try {
    for (const size of [MIB, 4096]) written += writeUntilFull(file, Buffer.alloc(size), most - written);
  } finally {
    closeSync(file);
  }
  return written;
}

/** Never more than `most`: a wrong look at the file system must not fill the machine. */
function writeUntilFull(file: number, block: Buffer, most: number): number {
  let written = 0;
  while (written + block.length <= most) {
    try {
      written += writeSync(file, block);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOSPC") break;
      throw error;
    }
  }
  return written;
}

/** Puts right what was broken on any volume, by what lies there: a campaign that was killed left no other note. */
export function healVolumes(volumes: string): void {
  for (const name of existsSync(volumes) ? readdirSync(volumes) : []) {
    const volume = join(volumes, name);
    rmSync(join(volume, KEEP, FILLER), { force: true });
    healAuditPath(volume);
  }
}

function healAuditPath(volume: string): void {
  const [log, kept] = [join(volume, AUDIT_LOG), join(volume, KEPT_LOG)];
  if (!existsSync(kept)) return;
  if (existsSync(log) && lstatSync(log).isDirectory()) rmdirSync(log);
  if (lstatSync(kept).isDirectory()) return rmdirSync(kept);
  if (!existsSync(log)) renameSync(kept, log);
}
