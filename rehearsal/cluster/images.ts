import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheDir } from "../cache";
import { toolPath } from "../tools/tools";
import type { ImageSpec } from "./imageSpecs";
import type { NodeLayout } from "./layout";
import { containerdSocket } from "./nodeFiles";
import { run } from "./run";
import { writeTar } from "./tar";

/** A built image: a docker archive in the cache. */
export interface BuiltImage {
  readonly name: string;
  readonly file: string;
  /** Digest of everything that went into it. */
  readonly key: string;
}

/** Digest of an image's content and settings, the copied programs by their bytes. */
export function imageKey(spec: ImageSpec): string {
  const hash = createHash("sha256").update(JSON.stringify(spec));
  for (const entry of spec.entries) {
    if (entry.kind === "copy") hash.update(createHash("sha256").update(readFileSync(entry.source)).digest());
  }
  return hash.digest("hex").slice(0, 16);
}

/** Builds the image unless the cache has it; older builds of the same name are removed. */
export function buildImage(spec: ImageSpec): BuiltImage {
  const folder = cacheDir("images");
  mkdirSync(folder, { recursive: true });
  const key = imageKey(spec);
  const stem = spec.name.replace(/[^A-Za-z0-9.]+/g, "_");
  const file = join(folder, `${stem}-${key}.tar`);
  if (existsSync(file)) return { name: spec.name, file, key };
  for (const old of readdirSync(folder).filter((name) => name.startsWith(`${stem}-`)))
    rmSync(join(folder, old));
  writeArchive(spec, file);
  return { name: spec.name, file, key };
}

function writeArchive(spec: ImageSpec, file: string): void {
  const layer = `${file}.layer`;
  try {
    const diffId = writeTar(layer, spec.entries);
    const config = JSON.stringify(imageConfig(spec, diffId));
    const configName = `${createHash("sha256").update(config).digest("hex")}.json`;
    const manifest = JSON.stringify([
      { Config: configName, RepoTags: [spec.name], Layers: [`${diffId}.tar`] },
    ]);
    const common = { kind: "text", mode: 0o644 } as const;
    writeTar(`${file}.part`, [
      { ...common, path: configName, text: config },
      { kind: "copy", path: `${diffId}.tar`, source: layer, mode: 0o644 },
      { ...common, path: "manifest.json", text: manifest },
    ]);
    renameSync(`${file}.part`, file);
  } finally {
    rmSync(layer, { force: true });
  }
}

function imageConfig(spec: ImageSpec, diffId: string): object {
  return {
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    config: {
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      Entrypoint: spec.entrypoint,
      Cmd: spec.command ?? [],
      User: spec.user ?? "",
      WorkingDir: spec.workingDir ?? "/",
    },
    rootfs: { type: "layers", diff_ids: [`sha256:${diffId}`] },
    history: [{ created_by: "openbao-raft-migration rehearsal" }],
  };
}

/** Gives a node the image under its name. @throws when containerd does not take it within two minutes. */
export async function importImage(node: NodeLayout, image: BuiltImage): Promise<void> {
  const ctr = [toolPath("ctr"), "--address", containerdSocket(node), "--namespace", "k8s.io"];
  await run([...ctr, "images", "import", image.file], { timeoutMilliseconds: 120_000 });
}
