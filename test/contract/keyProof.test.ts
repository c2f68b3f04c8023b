import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openBaoAt, type OpenBao } from "../../components/cluster/openBaoClient";
import { record, sealStatusIfUp, unexpected } from "../../components/cluster/openBaoStatus";
import { proveKey, type SealedEntries } from "../../components/keyProof/proveKey";
import { toolPath } from "../../rehearsal/tools/tools";

/** The real server on file storage, on loopback, in a folder of its own. */
class FileServer {
  readonly dir = mkdtempSync(join(tmpdir(), "key-proof-"));
  private child: ChildProcess | undefined;
  private client: OpenBao | undefined;

  get bao(): OpenBao {
    return this.client ?? assert.fail("the server was not started");
  }

  async start(): Promise<void> {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as AddressInfo;
    probe.close();
    const config = join(this.dir, "server.hcl");
    writeFileSync(
      config,
      `storage "file" { path = "${this.dir}/data" }\nlistener "tcp" {\n  address = "127.0.0.1:${port}"\n  tls_disable = true\n  disable_unauthed_rekey_endpoints = false\n}\n`,
    );
    this.child = spawn(toolPath("bao"), ["server", `-config=${config}`], { stdio: "ignore" });
    this.client = openBaoAt(`http://127.0.0.1:${port}`);
    for (let tries = 0; (await sealStatusIfUp(this.bao)) === undefined; tries++) {
      if (tries === 150) assert.fail("the server gave no answer within 30 s");
      await delay(200);
    }
  }

  async call(method: string, path: string, body: object, token?: string): Promise<Record<string, unknown>> {
    const reply = await this.bao.request(method, path, { body, ...(token !== undefined && { token }) });
    if (reply.status >= 400) throw unexpected(this.bao, path, reply);
    return record(reply.body);
  }

  /** What step key-proof reads from the volume. */
  entries(): SealedEntries {
    const value = (file: string): Buffer => {
      const text = readFileSync(join(this.dir, "data/core", file), "utf8");
      return Buffer.from((JSON.parse(text) as { Value: string }).Value, "base64");
    };
    return { storedKeys: value("hsm/_barrier-unseal-keys"), keyring: value("_keyring") };
  }

  async remove(): Promise<void> {
    this.client?.close();
    if (this.child !== undefined) {
      this.child.kill("SIGTERM");
      await once(this.child, "exit");
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const texts = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);

describe("the key proof on stores of the real server (hazard F24)", () => {
  let server: FileServer;
  before(async () => {
    server = new FileServer();
    await server.start();
  });
  after(() => server.remove());

  let keys: string[] = [];
  let token = "";

  it("opens a fresh store with the key of init, in hex and in base64, and with no other", async () => {
    const made = await server.call("PUT", "/v1/sys/init", { secret_shares: 1, secret_threshold: 1 });
    keys = texts(made["keys"]);
    token = String(made["root_token"]);
    const entries = server.entries();
    assert.deepEqual(proveKey(keys, entries), { proven: true, terms: 1 });
    assert.equal(proveKey(texts(made["keys_base64"]), entries).proven, true);
    assert.equal(proveKey(["0f".repeat(32)], entries).proven, false);
  });

  it("opens it while it runs, and after rotations of the data key", async () => {
    await server.call("PUT", "/v1/sys/unseal", { key: keys[0] });
    for (let n = 0; n < 2; n++) await server.call("PUT", "/v1/sys/rotate", {}, token);
    assert.deepEqual(proveKey(keys, server.entries()), { proven: true, terms: 3 });
  });

  it("after a rekey to three shares opens it with any two of them, and not with one or with the old key", async () => {
    const started = await server.call("PUT", "/v1/sys/rekey/init", { secret_shares: 3, secret_threshold: 2 });
    const done = await server.call("PUT", "/v1/sys/rekey/update", { nonce: started["nonce"], key: keys[0] });
    const shares = texts(done["keys"]);
    assert.equal(shares.length, 3);
    const entries = server.entries();
    const [a = "", b = "", c = ""] = shares;
    for (const pair of [
      [a, b],
      [b, c],
      [c, a],
    ])
      assert.equal(proveKey(pair, entries).proven, true);
    assert.equal(proveKey(shares, entries).proven, true);
    for (const wrong of [[a], keys, [a, keys[0]!]]) assert.equal(proveKey(wrong, entries).proven, false);
  });
});
