// Before: the key Secret holds the live keys; a file of the Git checkout is to hold them too, encrypted by SOPS.
// After: on the branch of the config that file holds the same generation. Only a reseed, which made new keys, writes it.
import { escrowName } from "../../cluster/keySink";
import { readKeySecret, type HeldKeys } from "../../cluster/keySecret";
import { keyFingerprint } from "../../keyProof/proveKey";
import { seeKeyCopy, writeKeyCopy, type KeyCopyPlace, type SeenCopy } from "../../land/keyCopy";
import { landRefused } from "../landRefused";
import { Refused, type Facts, type Observation, type Step, type StepContext } from "../runStep";

/** Both steps of this script: after the init, and again before land, where another runner may hold another clone. */
const STEPS = ["git-keys", "git-keys-land"];
const NOT_COMPARED = "encrypted for its recipients; not compared: no age identity of this user opens it";

let written: SeenCopy | undefined;

export const gitKeys: Step = {
  id: "git-keys",

  async observe(ctx) {
    written = undefined;
    const live = await ctx.keys();
    const reseeded = ctx.input.path === "reseed";
    const seen = await landRefused("H6", async () =>
      seeKeyCopy(placeOf(ctx), live, reseeded ? await oldKeys(ctx) : undefined),
    );
    return reseeded ? await observedAfterInit(ctx, seen, live) : observedOnly(ctx, seen, live);
  },

  async act(ctx) {
    await ctx.fence.assertHeld();
    written = await landRefused("H6", async () =>
      writeKeyCopy(placeOf(ctx), await ctx.keys(), await notedDigests(ctx), (ciphertext) =>
        ctx.journal.append({ step: ctx.input.step, beat: "act", observed: { ciphertext } }),
      ),
    );
  },

  async verify(ctx) {
    const live = await ctx.keys();
    const seen = written ?? (await landRefused("H6", () => seeKeyCopy(placeOf(ctx), live)));
    return factsOf(ctx, seen, live);
  },
};

/** The keys were made by this move: the copy in Git is missing, of the store before, or written already. */
async function observedAfterInit(ctx: StepContext, seen: SeenCopy, live: HeldKeys): Promise<Observation> {
  if (seen.state === "same") return { state: "done", observed: factsOf(ctx, seen, live) };
  if (seen.state === "differs") return otherGeneration(ctx);
  if (seen.state === "unreadable" && (await wroteIt(ctx, seen, live)))
    return { state: "done", observed: factsOf(ctx, seen, live) };
  return { state: "todo", observed: { copy: seen.state } };
}

/** The keys stay valid over the move: nothing is written. */
function observedOnly(ctx: StepContext, seen: SeenCopy, live: HeldKeys): Observation {
  if (seen.state === "missing") {
    const why = `Git has no file "${placeOf(ctx).file}" on the branch to land on, expected the key Secret, encrypted by SOPS: put it there, or take git.keySecret out of the config`;
    return { state: "refuse", hazard: "H6", why };
  }
  if (seen.state === "differs") return otherGeneration(ctx);
  return { state: "done", observed: factsOf(ctx, seen, live) };
}

function otherGeneration(ctx: StepContext): Observation {
  const { file, secret } = placeOf(ctx);
  const why = `"${file}" in Git holds another generation of keys than Secret "${secret.name}", expected the same: find out which one opens the store (step key-proof says so of the live one), and put it into the other`;
  return { state: "refuse", hazard: "H6", why };
}

function factsOf(ctx: StepContext, seen: SeenCopy, live: HeldKeys): Facts {
  const compared = seen.state === "same";
  const { file, branch } = placeOf(ctx);
  if (!compared) ctx.log(`${file}: ${NOT_COMPARED}`);
  return {
    file,
    branch,
    sha256: seen.sha256,
    recipients: seen.recipients?.length,
    compared,
    fingerprint: fingerprint(ctx, live),
  };
}

/** True when this move wrote exactly this ciphertext for exactly these keys. */
async function wroteIt(ctx: StepContext, seen: SeenCopy, live: HeldKeys): Promise<boolean> {
  const entries = await ctx.journal.entries();
  return entries.some(
    ({ step, beat, observed }) =>
      STEPS.includes(step) &&
      beat === "done" &&
      observed["sha256"] === seen.sha256 &&
      observed["fingerprint"] === fingerprint(ctx, live),
  );
}

async function notedDigests(ctx: StepContext): Promise<ReadonlySet<string>> {
  const entries = (await ctx.journal.entries()).filter(({ step }) => STEPS.includes(step));
  return new Set(entries.map(({ observed }) => String(observed["ciphertext"] ?? "")));
}

function fingerprint(ctx: StepContext, { unsealKey }: HeldKeys): string {
  return keyFingerprint(unsealKey, `git ${placeOf(ctx).file}`) ?? "none";
}

async function oldKeys(ctx: StepContext): Promise<HeldKeys | undefined> {
  const { namespace, keySecret } = ctx.input;
  const name = escrowName(keySecret);
  // A reseed of a store without keys keeps none.
  if ((await ctx.kube.find(`/api/v1/namespaces/${namespace}/secrets/${name}`)) === undefined)
    return undefined;
  return await readKeySecret(ctx.kube, namespace, { ...keySecret, name });
}

function placeOf(ctx: StepContext): KeyCopyPlace {
  const { git, namespace, keySecret } = ctx.input;
  if (git?.keySecret === undefined)
    throw new Refused(
      'the config names no file for the keys; set "openbao-migration:git.keySecret" [H6]',
      "H6",
    );
  const { checkout, branch, keySecret: file } = git;
  return { checkout, branch, file, namespace, secret: keySecret };
}

export default gitKeys;
