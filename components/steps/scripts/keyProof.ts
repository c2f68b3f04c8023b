// Before: the file storage lies on the volume of openbao-0; the server may run and is not touched.
// After: the journal says that the held unseal key opens this store, by a fingerprint of the key for the store.
// Decrypted in this process's memory: no second server runs, since one that unseals would revoke leases in the outside
// systems of the live one.
import { keyFingerprint, proveKey, storeDigest } from "../../keyProof/proveKey";
import { holdsProvenKey, readSealedEntries } from "../keyProof";
import { Refused, type Facts, type Step } from "../runStep";
import { observeWorld } from "../world";

let facts: Facts = {};

export const keyProof: Step = {
  id: "key-proof",

  async observe(ctx) {
    const world = await observeWorld(ctx);
    if (world.moved) return { state: "done", observed: { note: "the data is on Raft already" } };
    const [own, holds] = await Promise.all([ctx.journal.done(ctx.input.step), holdsProvenKey(ctx)]);
    if (own !== undefined && holds === true) {
      return { state: "done", observed: { note: "this key was proven on this store" } };
    }
    if (world.status0?.storageType !== "file") {
      return {
        state: "refuse",
        hazard: "F24",
        why: `${ctx.input.release}-0 gives storage type "${world.status0?.storageType ?? "no answer"}", expected "file": the key can only be proven on file storage that runs`,
      };
    }
    return { state: "todo", observed: { node: world.pod0?.spec?.nodeName } };
  },

  async act(ctx) {
    const { name, unsealKey: field } = ctx.input.keySecret;
    const held = await ctx.keys();
    const { pod0 } = await observeWorld(ctx);
    const { entries, largest } = await readSealedEntries(ctx, pod0?.spec?.nodeName);
    const proof = proveKey([held.unsealKey], entries);
    if (!proof.proven) {
      const fix =
        proof.reason === "wrong-key"
          ? `put the key of this store there. Until then do not restart ${ctx.input.release}-0: it could not be unsealed`
          : "this version of OpenBao stores its keys in another way than this program knows";
      throw new Refused(
        `key "${field}" of Secret "${name}" does not open this store: ${proof.why}. Expected: the unseal key of the store that runs. Fix: ${fix} [F24]`,
        "F24",
      );
    }
    const store = storeDigest(entries);
    facts = {
      store,
      fingerprint: keyFingerprint(held.unsealKey, store),
      terms: proof.terms,
      largest,
      ...(held.resourceVersion !== undefined && { secretVersion: held.resourceVersion }),
    };
  },

  verify() {
    return Promise.resolve(facts);
  },
};

export default keyProof;
