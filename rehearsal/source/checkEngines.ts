import type { BaoSession } from "./baoSession";
import { KV2_MOUNT } from "./content";
import { WITNESS_PATH, type Witness } from "./loadEngines";

/**
 * Uses what the witness entry holds: decrypts the ciphertexts, looks up each token, logs in, reads the certificate.
 * @returns one line for each thing that no longer works; empty when all does.
 */
export async function checkEngines(root: BaoSession): Promise<string[]> {
  const entry = await root.call("GET", `${KV2_MOUNT}/data/${WITNESS_PATH}`);
  const witness = entry["data"] as Witness;
  const faults: string[] = [];
  const expect = async (what: string, works: () => Promise<boolean>): Promise<void> => {
    let found = "another answer";
    try {
      if (await works()) return;
    } catch (error) {
      found = error instanceof Error ? error.message : String(error);
    }
    faults.push(`${what}: found ${found}, expected what was there before`);
  };
  for (const [at, { key, plaintext, ciphertext }] of witness.transit.entries()) {
    await expect(`transit ciphertext ${at} of ${key}`, async () => {
      const answer = await root.call("POST", `transit/decrypt/${key}`, { ciphertext });
      return answer["plaintext"] === plaintext;
    });
  }
  for (const [name, token] of Object.entries(witness.tokens)) {
    await expect(`token "${name}"`, async () => {
      const answer = await root.call("POST", "auth/token/lookup", { token });
      return typeof answer["ttl"] === "number" && answer["ttl"] > 0;
    });
  }
  const { username, password } = witness.userpass;
  await expect("login by userpass", () => logsIn(root, `auth/userpass/login/${username}`, { password }));
  await expect("login by approle", () => logsIn(root, "auth/approle/login", witness.approle));
  await expect("issued certificate", async () => {
    const answer = await root.call("GET", `pki/cert/${witness.serial}`);
    return String(answer["certificate"]).includes("BEGIN CERTIFICATE");
  });
  await expect("CA certificate", async () => {
    const answer = await root.call("GET", "pki/cert/ca");
    return String(answer["certificate"]).trim() === witness.ca.trim();
  });
  return faults;
}

async function logsIn(root: BaoSession, path: string, body: object): Promise<boolean> {
  const answer = await root.reply("POST", path, body);
  const token = (answer.body as { auth?: { client_token?: string } } | undefined)?.auth?.client_token;
  if (token === undefined) return false;
  // The check leaves no token behind: their number is compared, too.
  await root.call("POST", "auth/token/revoke", { token });
  return true;
}
