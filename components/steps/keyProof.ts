import { createHash } from "node:crypto";
import { keyFingerprint, newestProof, type SealedEntries } from "../keyProof/proveKey";
import { MISSING_TOOL, refuseOnCode } from "./jobResult";
import { removeJob, runJob } from "./nodeJob";
import { Refused, type StepContext } from "./runStep";
import { keyProofJob } from "./stepJobs";

/** A keyring grows by some 200 characters a rotation; this bound is reached by none that is sound. */
const MAX_TEXT = 300_000;

/** Two entries of the file storage, and the bytes of its largest file. */
interface SealedStore {
  readonly entries: SealedEntries;
  readonly largest: number;
}

/**
 * The two entries that an unseal opens, as ciphertext, from the volume of openbao-0. They pass through the Job's
 * termination message, which goes with the Job, and through no log, ConfigMap or port.
 * @throws Refused when the volume does not hold the file storage; Error when the entries change all the time.
 */
export async function readSealedEntries(ctx: StepContext, node: string | undefined): Promise<SealedStore> {
  try {
    for (let attempt = 1; ; attempt++) {
      const read = await readText(ctx, node);
      if (read !== undefined) return { entries: entriesOf(read.text), largest: read.largest };
      if (attempt === 3) throw new Error("the keyring changed during three reads; run again once it rests");
    }
  } finally {
    await removeJob(ctx.kube, ctx.input.namespace, keyProofJob(ctx.input, 0).name);
  }
}

/** All slices in turn; undefined when the entries changed in between. */
async function readText(ctx: StepContext, node: string | undefined) {
  let text = "";
  let largest = 0;
  for (let total = 1, digest = ""; text.length < total;) {
    const result = await runJob(ctx, keyProofJob(ctx.input, text.length, node));
    refuseOnCode(result, {
      22: ["no core/_keyring was found: the volume does not hold the file storage at its root", "I18"],
      29: MISSING_TOOL,
    });
    const slice = String(result.facts["slice"] ?? "");
    total = Number(result.facts["total"]);
    if (slice === "" || !(total <= MAX_TEXT)) {
      throw new Error("the Job gave no entries to prove the key on, or far too large ones");
    }
    if (digest !== "" && digest !== result.facts["digest"]) return undefined;
    digest = String(result.facts["digest"]);
    text += slice;
    largest = Math.max(largest, Number(result.facts["largest"] ?? 0));
    if (text.length >= total && createHash("sha256").update(text).digest("hex") !== digest) return undefined;
  }
  return { text, largest };
}

function entriesOf(text: string): SealedEntries {
  const [storedKeys = "", keyring = ""] = text.split(".").map((part) => Buffer.from(part, "base64"));
  if (keyring.length === 0) throw new Error("core/_keyring is empty or not in the known format");
  return {
    keyring: Buffer.from(keyring),
    ...(storedKeys.length > 0 && { storedKeys: Buffer.from(storedKeys) }),
  };
}

/** True, false, or undefined when no proof is in the journal: the held key is the one that opened this store. */
export async function holdsProvenKey(ctx: StepContext): Promise<boolean | undefined> {
  // On the other paths a snapshot is the proof, or the keys are new: what a migrate has noted is of no store of theirs.
  if ((ctx.input.path ?? "migrate") !== "migrate") return undefined;
  const proof = newestProof(await ctx.journal.entries())?.observed;
  if (typeof proof?.["store"] !== "string") return undefined;
  const { unsealKey } = await ctx.keys();
  return keyFingerprint(unsealKey, proof["store"]) === proof["fingerprint"];
}

/** @throws Refused F26 when the Secret's key is no longer the proven one: it would wedge a follower. */
export async function refuseChangedKey(ctx: StepContext): Promise<void> {
  if ((await holdsProvenKey(ctx)) !== false) return;
  throw new Refused(
    `the unseal key in Secret "${ctx.input.keySecret.name}" is not the one that was proven in stage backup: somebody has written it since. Put the proven key back, then run again [F26]`,
    "F26",
  );
}
