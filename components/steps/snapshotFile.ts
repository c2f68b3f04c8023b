import { existsSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { PROJECT_ROOT } from "../projectRoot";
import { assertFresh, readSnapshot, SnapshotFault, type SnapshotFacts } from "../snapshot/readSnapshot";
import { assertKeyOpens } from "../snapshot/snapshotKey";
import { assertWritable } from "../snapshot/snapshotTransfer";
import { Refused, type Facts, type StepContext } from "./runStep";

/** The snapshot's path from the config; a relative one counts from the project's folder, as Pulumi runs it. */
export function snapshotPath(ctx: StepContext): string {
  const file = ctx.input.snapshot?.file;
  if (file === undefined)
    throw new Refused('the config names no "openbao-migration:snapshot.file" [F28]', "F28");
  return isAbsolute(file) ? file : resolve(PROJECT_ROOT, file);
}

/** Before anything is begun for a snapshot: its folder takes a file. @throws Refused (hazard F65) */
export async function refuseUnwritable(file: string): Promise<void> {
  await refused(file, () => assertWritable(file));
}

/**
 * Reads the file to its end and proves that the stored unseal key opens it.
 * @param sha256 what the journal says of it; another file under its name is refused (hazard F64).
 * @throws Refused (hazards F28, F29)
 */
export async function provedSnapshot(
  ctx: StepContext,
  file: string,
  sha256?: string,
): Promise<SnapshotFacts> {
  if (!existsSync(file)) {
    throw new Refused(`there is no snapshot at "${file}"; it has to lie on this machine [F28]`, "F28");
  }
  const facts = await refused(file, async () => {
    const read = await readSnapshot(file);
    assertKeyOpens(read, (await ctx.keys()).unsealKey);
    return read;
  });
  if (sha256 !== undefined && facts.sha256 !== sha256) {
    throw new Refused(
      `"${file}" has the digest ${facts.sha256.slice(0, 12)}, the journal says ${sha256.slice(0, 12)}: another file lies there now. Put the right one back [F64]`,
      "F64",
    );
  }
  return facts;
}

/** Age counts only where the snapshot is all that there is. @throws Refused (hazard F30) */
export async function refuseOld(ctx: StepContext, file: string, facts: SnapshotFacts): Promise<void> {
  await refused(file, () => Promise.resolve(assertFresh(facts, ctx.input.snapshot?.maxAgeHours ?? 24)));
}

/** What the journal keeps of a snapshot. */
export function snapshotFacts(file: string, facts: SnapshotFacts): Facts {
  const { sha256, bytes, stateBytes, index, term, createdAt, nodes } = facts;
  return { file, sha256, bytes, stateBytes, index, term, createdAt, nodes, keyProved: true };
}

async function refused<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SnapshotFault)) throw error;
    throw new Refused(
      `the snapshot "${file}" is not taken: ${error.message} [${error.hazard}]`,
      error.hazard,
    );
  }
}
