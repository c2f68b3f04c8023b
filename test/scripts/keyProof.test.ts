import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readJournal } from "../../components/cluster/journal";
import { refuseChangedKey } from "../../components/steps/keyProof";
import { buildJob } from "../../components/steps/nodeJob";
import { Refused, runBeats } from "../../components/steps/runStep";
import { follower } from "../../components/steps/scripts/follower";
import { keyProof } from "../../components/steps/scripts/keyProof";
import { unseal } from "../../components/steps/scripts/unseal";
import { podOfJob } from "../support/jobsEnd";
import { JobScript } from "../support/jobScript";
import { fileOf, sealedStore, type SealedStore } from "../support/sealedStore";
import { STEP_KEY, StepWorld } from "../support/stepContext";

const NS = "/api/v1/namespaces/openbao";
const JOBS = "/apis/batch/v1/namespaces/openbao/jobs";
const JOB = `${JOBS}/openbao-raft-key-proof`;

describe("keyProof.sh", () => {
  let script: JobScript;
  beforeEach(() => (script = new JobScript("keyProof.sh")));
  afterEach(() => script.remove());

  function put(store: SealedStore): string {
    const { storedKeys, keyring } = store.entries;
    if (storedKeys !== undefined) script.put("core/hsm/_barrier-unseal-keys", fileOf(storedKeys));
    script.put("core/_keyring", fileOf(keyring));
    return `${storedKeys?.toString("base64") ?? ""}.${keyring.toString("base64")}`;
  }

  function slices(): string[] {
    const found: string[] = [];
    for (let offset = 0, total = 1; offset < total;) {
      const { code, result, output } = script.run("exit 1", { offset: String(offset) });
      assert.equal(code, 0, output);
      assert.equal(output, "", "nothing of the entries is in the log");
      assert.ok(JSON.stringify(result).length < 4096, "a termination message takes 4096 bytes");
      total = Number(result["total"]);
      found.push(String(result["slice"]));
      offset += found.at(-1)!.length;
    }
    return found;
  }

  it("gives both entries in one message", () => {
    const text = put(sealedStore());
    assert.deepEqual(slices(), [text]);
    const { result } = script.run("exit 1", { offset: "0" });
    assert.equal(result["digest"], createHash("sha256").update(text).digest("hex"));
  });

  it("gives the size of the largest file as it is now, with the first slice (hazard I13)", () => {
    put(sealedStore());
    script.put("logical/m1/_late", "x".repeat(2_000_000));
    for (const path of ["raft/raft.db", "lost+found/x", ".openbao-raft-migration/backup/x"])
      script.put(path, "x".repeat(3_000_000));
    assert.equal(script.run("exit 1", { offset: "0" }).result["largest"], 2_000_000);
    assert.equal(script.run("exit 1", { offset: "5" }).result["largest"], 0);
  });

  it("gives a keyring of 60 terms in slices that make the whole", () => {
    const text = put(sealedStore({ terms: 60 }));
    const parts = slices();
    assert.ok(parts.length > 2);
    assert.equal(parts.join(""), text);
  });

  it("gives the keyring alone of a store without stored keys", () => {
    const text = put(sealedStore({ legacy: true }));
    assert.match(text, /^\./);
    assert.equal(slices().join(""), text);
  });

  it("changes nothing on the volume", () => {
    put(sealedStore());
    const before = script.read("core/_keyring");
    slices();
    assert.equal(script.read("core/_keyring"), before);
  });

  it("refuses a volume without a keyring (hazard I18)", () => {
    script.removeEntry("core/_keyring");
    assert.equal(script.run("exit 1", { offset: "0" }).code, 22);
  });
});

describe("step key-proof (hazard F24)", () => {
  /** Plays the Job's controller: each Job ends at once with the next slice of the store's entries. */
  function runsJobs(world: StepWorld, store: SealedStore, size = 3000, exitCode = 0): { seen: number } {
    const { storedKeys, keyring } = store.entries;
    const text = `${storedKeys?.toString("base64") ?? ""}.${keyring.toString("base64")}`;
    const count = { seen: 0 };
    world.kube.onWrite(({ verb, path, body }) => {
      if (verb !== "create" || path !== JOBS) return;
      count.seen++;
      const offset = Number(
        world.kube.peek<{ data: { offset: string } }>(`${NS}/configmaps/openbao-raft-key-proof`)?.data.offset,
      );
      const slice = text.slice(offset, offset + size);
      const digest = createHash("sha256").update(text).digest("hex");
      const message =
        exitCode === 0
          ? JSON.stringify({ largest: offset === 0 ? 2_000_000 : 0, total: text.length, digest, slice })
          : "{}";
      world.kube.put(JOB, {
        ...(body as object),
        status: { conditions: [{ type: exitCode === 0 ? "Complete" : "Failed", status: "True" }] },
      });
      podOfJob(world.kube, "openbao-raft-key-proof", { exitCode, message });
    });
    return count;
  }

  const held = () => sealedStore({ unsealKey: Buffer.from(STEP_KEY, "hex") });

  it("proves the held key, and records a fingerprint and no key", async () => {
    const world = new StepWorld("key-proof");
    runsJobs(world, held());
    const { result, observed } = await runBeats(keyProof, world.context);
    assert.equal(result, "done");
    assert.match(String(observed["fingerprint"]), /^[0-9a-f]{32}$/);
    assert.ok(!JSON.stringify(await readJournal(world.kube, "openbao")).includes(STEP_KEY));
    assert.equal(world.kube.peek(JOB), undefined, "the Job's message goes with the Job");
  });

  it("puts a long keyring together from slices", async () => {
    const world = new StepWorld("key-proof");
    const count = runsJobs(world, held(), 200);
    await runBeats(keyProof, world.context);
    assert.ok(count.seen > 2, `${count.seen} slices`);
    // Of the first slice's Job, for the limit of an entry (hazard I13).
    assert.equal((await world.context.journal.done("key-proof"))?.observed["largest"], 2_000_000);
  });

  it("refuses a key of another store while the server still serves, and removes the Job", async () => {
    const world = new StepWorld("key-proof");
    runsJobs(world, sealedStore());
    await assert.rejects(runBeats(keyProof, world.context), (error: unknown) => {
      assert.ok(error instanceof Refused && error.hazard === "F24", String(error));
      assert.match(error.message, /does not open this store.*openbao-0: it could not be unsealed/);
      return !error.message.includes(STEP_KEY);
    });
    assert.equal(world.kube.peek(JOB), undefined);
    assert.equal(await world.context.journal.done("key-proof"), undefined);
  });

  it("finds itself done with the proven key, and proves anew when the key was changed (hazard F26)", async () => {
    const world = await new StepWorld("key-proof").provenKey();
    const count = runsJobs(world, held());
    assert.equal((await runBeats(keyProof, world.context)).result, "already-done");
    assert.equal(count.seen, 0);
    await world.provenKey("0d".repeat(32));
    assert.equal((await runBeats(keyProof, world.context)).result, "done");
  });

  it("proves the key once more before the stop: a rekey may lie between the stages", async () => {
    const world = await new StepWorld("key-proof-cutover").provenKey();
    const count = runsJobs(world, sealedStore());
    await assert.rejects(runBeats(keyProof, world.context), /does not open this store/);
    assert.equal(count.seen, 1);
  });

  it("stops when the entries change while they are read, after three tries", async () => {
    const world = new StepWorld("key-proof");
    runsJobs(world, sealedStore());
    // Each Job's message has another digest than the one before.
    let turn = 0;
    world.kube.onWrite(({ verb, path }) => {
      if (verb !== "create" || path !== JOBS) return;
      podOfJob(world.kube, "openbao-raft-key-proof", { exitCode: 0, message: changed(turn++) });
    });
    await assert.rejects(runBeats(keyProof, world.context), /changed during three reads/);
  });

  it("mounts the data read-only, without the rights of the server", () => {
    const world = new StepWorld("key-proof");
    const set = world.kube.peek("/apis/apps/v1/namespaces/openbao/statefulsets/openbao")!;
    const spec = buildJob(set as never, {
      name: "j",
      script: "keyProof.sh",
      readOnly: true,
      timeoutSeconds: 1,
    }).spec!.template.spec!;
    assert.equal(spec.containers[0]!.volumeMounts!.find((one) => one.name === "data")!.readOnly, true);
    assert.equal(spec.automountServiceAccountToken, false);
  });
});

function changed(turn: number): string {
  return JSON.stringify({ total: 1000, digest: `digest ${turn}`, slice: "A".repeat(300) });
}

describe("a key that was changed after its proof (hazard F26)", () => {
  const other = "0d".repeat(32);

  it("is not given to openbao-0", async () => {
    const world = await new StepWorld("unseal-0").onRaft({ sealed: true }).release({}, true).provenKey(other);
    await assert.rejects(runBeats(unseal, world.context), /\[F26\]/);
  });

  it("is not given to a follower, which it would wedge", async () => {
    const world = await new StepWorld("follower-1")
      .onRaft()
      .release({}, true)
      .statefulSet(2)
      .provenKey(other);
    world.servers["openbao-1"] = {
      ...world.servers["openbao-0"]!,
      seal: { ...world.servers["openbao-0"]!.seal },
    };
    world.servers["openbao-0"]!.peers = [];
    world.servers["openbao-1"].seal["sealed"] = true;
    world.kube.put(`${NS}/pods/openbao-1`, {
      metadata: {},
      spec: { nodeName: "node-2" },
      status: { phase: "Running" },
    });
    await assert.rejects(runBeats(follower, world.context), /\[F26\]/);
  });

  it("is let through when a store of an earlier version has no proof in its journal", async () => {
    await refuseChangedKey(new StepWorld("unseal-0").context);
  });
});
