import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { keyFingerprint, proveKey, storeDigest } from "../../../components/keyProof/proveKey";
import { combineShares } from "../../../components/keyProof/shamir";
import { forms } from "../../../rehearsal/leaks/leakScan";
import { sealedStore } from "../../support/sealedStore";

function refusal(shares: string[], entries: Parameters<typeof proveKey>[1]) {
  const proof = proveKey(shares, entries);
  assert.equal(proof.proven, false);
  return proof.proven ? assert.fail() : proof;
}

describe("the key proof (hazard F24)", () => {
  for (const version of [1, 2] as const) {
    it(`opens a keyring of version ${version} with its key, in hex and in base64`, () => {
      const { key, entries } = sealedStore({ version, terms: 3 });
      assert.deepEqual(proveKey([key], entries), { proven: true, terms: 3 });
      assert.deepEqual(proveKey([Buffer.from(key, "hex").toString("base64")], entries), {
        proven: true,
        terms: 3,
      });
    });
  }

  it("opens a store of before Vault 1.3, whose unseal key is the root key", () => {
    const { key, entries } = sealedStore({ legacy: true });
    assert.equal(proveKey([key], entries).proven, true);
  });

  it("refuses the key of another store, and says at which entry", () => {
    const { entries } = sealedStore();
    const proof = refusal([sealedStore().key], entries);
    assert.equal(proof.reason, "wrong-key");
    assert.match(proof.why, /the root key/);
  });

  it("refuses entries of two stores put together: a restored keyring under another root key", () => {
    const one = sealedStore();
    const proof = refusal([one.key], { ...one.entries, keyring: sealedStore().entries.keyring });
    assert.equal(proof.reason, "wrong-key");
    assert.match(proof.why, /the keyring/);
  });

  it("refuses a key of which one bit differs, wherever it is", () => {
    const { key, entries } = sealedStore();
    fc.assert(
      fc.property(fc.nat(255), (bit) => {
        const other = Buffer.from(key, "hex");
        other[bit >> 3]! ^= 1 << (bit & 7);
        return refusal([other.toString("hex")], entries).reason === "wrong-key";
      }),
    );
  });

  it("takes a damaged entry for no proof, whatever byte is damaged or missing (hazard I18)", () => {
    const { key, entries } = sealedStore();
    const { storedKeys, keyring } = entries as { storedKeys: Buffer; keyring: Buffer };
    const bytes = storedKeys.length + keyring.length;
    fc.assert(
      fc.property(fc.nat(bytes - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, change, cut) => {
        const damage = (entry: Buffer, place: number): Buffer => {
          if (place < 0 || place >= entry.length) return entry;
          if (cut) return entry.subarray(0, place);
          const other = Buffer.from(entry);
          other[place]! ^= change;
          return other;
        };
        const damaged = {
          storedKeys: damage(storedKeys, at),
          keyring: damage(keyring, at - storedKeys.length),
        };
        // Bytes that no unseal looks at: the message's last field, and the term, which the AAD does not cover.
        const unread = at >= storedKeys.length - 2 && at < storedKeys.length + 4;
        return unread || !proveKey([key], damaged).proven;
      }),
      { numRuns: 500 },
    );
  });

  it("says of an unknown format that it is one, and not that the key is wrong", () => {
    const { key, entries } = sealedStore();
    const keyring = Buffer.from(entries.keyring);
    keyring[4] = 3;
    assert.equal(refusal([key], { ...entries, keyring }).reason, "unknown-format");
    const storedKeys = Buffer.from("{}");
    assert.equal(refusal([key], { ...entries, storedKeys }).reason, "unknown-format");
  });

  it("never throws and never repeats the key, whatever is given", () => {
    const { entries } = sealedStore();
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 80 }), { minLength: 1, maxLength: 4 }),
        fc.uint8Array({ maxLength: 60 }),
        (shares, bytes) => {
          const proof = proveKey(shares, { storedKeys: Buffer.from(bytes), keyring: entries.keyring });
          const text = JSON.stringify(proof);
          return shares.every(
            (share) => share.length < 8 || forms(share).every((form) => !text.includes(form)),
          );
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe("key shares", () => {
  it("combine to the value at 0 of the polynomial through them", () => {
    const constant = [1, 7, 200].map((x) => Buffer.from([0x74, 0x65, x]));
    assert.deepEqual(combineShares(constant), Buffer.from([0x74, 0x65]));
    // f(x) = 0x2a + x: adding is XOR.
    const straight = [1, 7, 200].map((x) => Buffer.from([0x2a ^ x, x]));
    assert.deepEqual(combineShares(straight), Buffer.from([0x2a]));
  });

  it("are refused when one is given twice, when lengths differ, and when there is only one", () => {
    const share = randomBytes(33);
    assert.throws(() => combineShares([share, share]), /twice/);
    assert.throws(() => combineShares([share, randomBytes(32)]), /length/);
    assert.throws(() => combineShares([share]), /at least 2/);
  });

  it("that are not of this store are a wrong key", () => {
    const { entries } = sealedStore();
    const shares = [1, 2].map((x) => Buffer.concat([randomBytes(32), Buffer.from([x])]).toString("hex"));
    assert.equal(refusal(shares, entries).reason, "wrong-key");
  });
});

describe("the fingerprint of a key", () => {
  const { key, entries } = sealedStore();
  const store = storeDigest(entries);

  it("is one for hex and base64 of the same key, and another for another key or store", () => {
    const base64 = Buffer.from(key, "hex").toString("base64");
    assert.equal(keyFingerprint(key, store), keyFingerprint(base64, store));
    assert.notEqual(keyFingerprint(key, store), keyFingerprint(sealedStore().key, store));
    assert.notEqual(keyFingerprint(key, store), keyFingerprint(key, "other"));
  });

  it("is not given for what is no key: it could be guessed", () => {
    assert.equal(keyFingerprint("REPLACE_AFTER_INIT", store), undefined);
    assert.equal(keyFingerprint("abcd", store), undefined);
  });
});
