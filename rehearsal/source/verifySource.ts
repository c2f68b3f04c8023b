import type { OpenBao } from "../../components/cluster/openBaoClient";
import { baoSession } from "./baoSession";
import { checkEngines } from "./checkEngines";
import { checkKv } from "./checkKv";

/**
 * Compares what `bao` holds with the content that `seed` and `keys` give: every KV version, ciphertexts, tokens, logins,
 * certificates. It knows nothing of the program's own inventory, so the two can differ.
 * @param content what was loaded; `every` above 1 takes a sample of the KV entries, for large stores.
 * @returns one line for each difference, without values; empty when all is there.
 */
export async function verifySource(
  bao: OpenBao,
  rootToken: string,
  content: { readonly seed: string; readonly keys: number; readonly every?: number },
): Promise<string[]> {
  const root = baoSession(bao, rootToken);
  return [...(await checkKv(root, content.seed, content.keys, content.every)), ...(await checkEngines(root))];
}
