import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sealStatus, unseal } from "../../components/cluster/openBaoStatus";
import { loopbackConfig } from "../../components/openBaoConfig/loopbackConfig";
import { readSnapshot, SnapshotFault } from "../../components/snapshot/readSnapshot";
import { assertKeyOpens } from "../../components/snapshot/snapshotKey";
import { saveSnapshot } from "../../components/snapshot/snapshotTransfer";
import { runBeats, type StepContext } from "../../components/steps/runStep";
import { restore } from "../../components/steps/scripts/restore";
import { ensureTools } from "../../rehearsal/tools/tools";
import { base64, EmptyStoreWorld, KEY_SECRET } from "../support/emptyStoreWorld";
import { PLAIN, RealBao } from "../support/realBao";

interface Keys {
  readonly key: string;
  readonly token: string;
}

const AUDITED = (log: string) => `${PLAIN}
audit "file" {
  type = "file"
  path = "file/"
  options {
    file_path = "${log}"
  }
}
`;

async function initialised(server: RealBao): Promise<Keys> {
  const reply = await server.bao.request("PUT", "/v1/sys/init", {
    body: { secret_shares: 1, secret_threshold: 1 },
    timeoutMs: 60_000,
  });
  const { keys_base64: keys, root_token: token } = reply.body as {
    keys_base64: string[];
    root_token: string;
  };
  await unseal(server.bao, keys[0]!);
  await server.active();
  return { key: keys[0]!, token };
}

/** The steps of a restore against the real OpenBao, on loopback: what the model and the reader take for granted. */
describe("snapshots and restore on the real OpenBao", () => {
  const folder = mkdtempSync(join(tmpdir(), "restore-contract-"));
  const source = new RealBao(join(folder, "source"));
  const target = new RealBao(join(folder, "target"));
  const file = join(folder, "source.snap");
  const log = join(folder, "audit.log");
  let keys: Keys;
  let clusterId: string | undefined;

  before(async () => {
    await ensureTools(() => undefined, ["bao"]);
    await source.start(AUDITED(log));
    keys = await initialised(source);
    const call = (path: string, body: object) =>
      source.bao.request("POST", `/v1/${path}`, { token: keys.token, body });
    await call("sys/mounts/kv1", { type: "kv" });
    for (let i = 0; i < 50; i++) await call(`kv1/entry-${i}`, { value: `value-${i}` });
    clusterId = (await sealStatus(source.bao)).clusterId;
  });

  after(async () => {
    await source.stop();
    await target.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("a snapshot is saved whole with mode 0600, and the unseal key opens it", async () => {
    const facts = await saveSnapshot(source.bao, keys.token, file, 60_000);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(facts.nodes, ["openbao-0"]);
    assert.ok(Math.abs(Date.parse(facts.createdAt) - Date.now()) < 120_000);
    assertKeyOpens(facts, keys.key);
    assertKeyOpens(facts, Buffer.from(keys.key, "base64").toString("hex"));
  });

  it("an existing file is not written over", async () => {
    const before = readFileSync(file);
    await assert.rejects(saveSnapshot(source.bao, keys.token, file, 60_000), /EEXIST/);
    assert.deepEqual(readFileSync(file), before);
  });

  it("a token that may not is told so, and leaves no file (I23)", async () => {
    const other = join(folder, "other.snap");
    await assert.rejects(saveSnapshot(source.bao, "s.wrong", other, 60_000), SnapshotFault);
    assert.throws(() => statSync(other), /ENOENT/);
    assert.throws(() => statSync(`${other}.partial`), /ENOENT/);
  });

  it("a real one that is cut off at any sixteenth is refused (F28)", async () => {
    const whole = readFileSync(file);
    const cut = join(folder, "cut.snap");
    for (let part = 0; part < 16; part++) {
      writeFileSync(cut, whole.subarray(0, Math.floor((whole.length * part) / 16)));
      await assert.rejects(readSnapshot(cut), SnapshotFault);
    }
  });

  it("a copy of the stopped store wakes on loopback with its audit device, and has the last write (F23)", async () => {
    const last = { token: keys.token, body: { value: "the last" } };
    await source.bao.request("POST", "/v1/kv1/last", last);
    await source.stop();
    const copy = new RealBao(join(folder, "copy"));
    cpSync(source.data, copy.data, { recursive: true });
    const config = loopbackConfig(AUDITED(log), {
      path: copy.data,
      nodeId: "openbao-0",
      address: "openbao-0.openbao-internal:8201",
    });
    try {
      await copy.start(
        config.replaceAll(":8200", ":PORT").replaceAll('127.0.0.1:8201"', '127.0.0.1:CLUSTER_PORT"'),
      );
      await unseal(copy.bao, keys.key);
      await copy.active();
      const read = await copy.bao.request("GET", "/v1/kv1/last", { token: keys.token });
      assert.deepEqual((read.body as { data: object }).data, { value: "the last" });
      const devices = await copy.bao.request("GET", "/v1/sys/audit", { token: keys.token });
      assert.deepEqual(Object.keys((devices.body as { data: object }).data), ["file/"]);
      rmSync(file);
      assertKeyOpens(await saveSnapshot(copy.bao, keys.token, file, 60_000), keys.key);
    } finally {
      await copy.stop();
    }
  });

  it("step restore: the stored key opens the restored store, the content and the cluster id are the source's", async () => {
    await target.start(AUDITED(log));
    const empty = new EmptyStoreWorld("restore");
    try {
      empty.world.kube.put(KEY_SECRET, {
        data: { "unseal-key": base64(keys.key), "root-token": base64(keys.token) },
      });
      const facts = await readSnapshot(file);
      await empty.world.done("set-aside");
      await empty.world.done("inventory-cutover", { clusterId });
      await empty.world.done("final-snapshot", { file, sha256: facts.sha256 });
      const input = { ...empty.context.input, podTimeoutSeconds: 60, copyTimeoutSeconds: 60 };
      const context: StepContext = { ...empty.context, input, bao: () => target.bao };
      const { observed } = await runBeats(restore, context);
      assert.equal(observed["clusterId"], clusterId);
      const read = await target.bao.request("GET", "/v1/kv1/last", { token: keys.token });
      assert.deepEqual((read.body as { data: object }).data, { value: "the last" });
      assert.equal((await runBeats(restore, context)).result, "already-done");
    } finally {
      empty.remove();
    }
  });

  it("the restored store is opened by the stored key after a restart, too (H1)", async () => {
    await target.stop();
    await target.start(AUDITED(log));
    await unseal(target.bao, keys.key);
    await target.active();
    assert.equal((await sealStatus(target.bao)).clusterId, clusterId);
  });
});
