import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readKeySecret } from "../../components/cluster/keySecret";
import type { StepContext } from "../../components/steps/runStep";
import { podOfJob } from "./jobsEnd";
import { RaftModel } from "./raftModel";
import { packed, SNAPSHOT_KEY, snapshotParts } from "./snapshotFile";
import { RAFT_VALUES, StepWorld } from "./stepContext";

export const KEY_SECRET = "/api/v1/namespaces/openbao/secrets/openbao-unseal";
export const CLAIM = "/api/v1/namespaces/openbao/configmaps/openbao-raft-migration-init";
const POD = "/api/v1/namespaces/openbao/pods/openbao-0";
const STATEFUL_SET = "/apis/apps/v1/namespaces/openbao/statefulsets/openbao";
const STORED_KEY = SNAPSHOT_KEY.toString("base64");

/**
 * openbao-0 on an empty Raft store after its old one was set aside: a model server, and controllers that start and stop
 * its pod and run the Job that empties the store.
 */
export class EmptyStoreWorld {
  readonly world: StepWorld;
  readonly server = new RaftModel();
  readonly context: StepContext;
  readonly folder = mkdtempSync(join(tmpdir(), "restore-"));
  readonly file = join(this.folder, "source.snap");
  readonly digest: string;
  wipes = 0;

  constructor(path: "restore" | "reseed", step: string = path === "restore" ? "restore" : "init") {
    const bytes = packed(snapshotParts());
    this.digest = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(this.file, bytes);
    this.server.snapshots.set(this.digest, { key: STORED_KEY, token: "old-token", clusterId: "source" });
    this.world = new StepWorld(step).release(RAFT_VALUES, true);
    this.world.kube.put(KEY_SECRET, {
      data: { "unseal-key": base64(STORED_KEY), "root-token": base64("old-token") },
    });
    this.world.kube.onWrite(({ verb, path: at, body }) => {
      if (verb === "mergePatch" && at === `${STATEFUL_SET}/scale`) this.scaled(body);
      if (verb === "create" && at.endsWith("/jobs")) this.wiped(body);
    });
    const { context } = this.world;
    const input = { ...context.input, path, snapshot: { file: this.file, from: "source", maxAgeHours: 24 } };
    this.context = {
      ...context,
      input: input as StepContext["input"],
      bao: () => this.server,
      keys: () => readKeySecret(this.world.kube, "openbao", context.input.keySecret),
    };
  }

  async ready(): Promise<this> {
    await this.world.done("set-aside");
    await this.world.done("inventory-cutover", { clusterId: "source" });
    await this.world.done("final-snapshot", { file: this.file, sha256: this.digest });
    return this;
  }

  get claim(): Record<string, string> | undefined {
    return this.world.kube.peek<{ data: Record<string, string> }>(CLAIM)?.data;
  }

  get secretVersion(): string {
    return this.world.kube.peek<{ metadata: { resourceVersion: string } }>(KEY_SECRET)!.metadata
      .resourceVersion;
  }

  stored(key: string, name = "openbao-unseal"): string {
    const secret = this.world.kube.peek<{ data: Record<string, string> }>(
      `/api/v1/namespaces/openbao/secrets/${name}`,
    );
    return Buffer.from(secret?.data[key] ?? "", "base64").toString();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private scaled(body: unknown): void {
    const { replicas } = (body as { spec: { replicas: number } }).spec;
    this.world.statefulSet(replicas);
    this.server.up = replicas > 0;
    if (replicas === 0) this.world.kube.drop(POD);
    else {
      this.world.pod0("rev-1");
      this.server.restart();
    }
  }

  /** The Job's part of the deed, and its end. */
  private wiped(body: unknown): void {
    const name = (body as { metadata: { name: string } }).metadata.name;
    if (name === "openbao-raft-wipe-fresh") {
      this.wipes++;
      this.server.store = undefined;
    }
    this.world.kube.put(`/apis/batch/v1/namespaces/openbao/jobs/${name}`, {
      metadata: { name },
      status: { conditions: [{ type: "Complete", status: "True" }] },
    });
    podOfJob(this.world.kube, name, { exitCode: 0, message: "{}" });
  }
}

export function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
