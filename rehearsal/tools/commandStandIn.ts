import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

const SOURCES = resolve(__dirname, "..", "standins", "commandPlugin");
const BUNDLE = /^stand-in-[0-9a-f]{16}\.cjs$/;

/** A line of the launcher by which it is told from the real plugin. */
export const STAND_IN_MARK = "# stand-in of openbao-raft-migration";

/** Tells whether the stand-in lies there as this checkout's sources and this Node need it. */
export function standInIsLaid(launcherPath: string): boolean {
  const folder = dirname(launcherPath);
  if (!existsSync(launcherPath) || !existsSync(join(folder, bundleName()))) return false;
  return readFileSync(launcherPath, "utf8") === launcher(folder);
}

/**
 * Lays the stand-in: one bundled file and a launcher. pulumi starts a plugin at each preview and update, and a bundle
 * starts four times faster than its sources through tsx.
 */
export function layStandIn(launcherPath: string): void {
  const folder = dirname(launcherPath);
  mkdirSync(folder, { recursive: true });
  const bundle = join(folder, bundleName());
  if (!existsSync(bundle)) {
    const fresh = `${bundle}.${process.pid}`;
    bundler().buildSync({
      entryPoints: [join(SOURCES, "main.ts")],
      outfile: fresh,
      bundle: true,
      platform: "node",
      logLevel: "error",
    });
    renameSync(fresh, bundle);
  }
  const fresh = `${launcherPath}.${process.pid}`;
  writeFileSync(fresh, launcher(folder));
  chmodSync(fresh, 0o755);
  renameSync(fresh, launcherPath);
  for (const entry of readdirSync(folder)) {
    if (BUNDLE.test(entry) && entry !== bundleName()) rmSync(join(folder, entry), { force: true });
  }
}

/** node by its absolute path: the plugin runs with the Node that laid it, whatever PATH says. */
function launcher(folder: string): string {
  const words = [process.execPath, join(folder, bundleName())].map(quoted).join(" ");
  return `#!/bin/sh\n${STAND_IN_MARK}\nexec ${words} "$@"\n`;
}

/** Named by its sources, so that another checkout's stand-in, or an edited one, is never taken for this one. */
function bundleName(): string {
  const hash = createHash("sha256").update(readFileSync(require.resolve("@pulumi/pulumi/package.json")));
  for (const entry of readdirSync(SOURCES).sort()) {
    if (entry.endsWith(".ts")) hash.update(`\0${entry}\0`).update(readFileSync(join(SOURCES, entry)));
  }
  return `stand-in-${hash.digest("hex").slice(0, 16)}.cjs`;
}

interface Bundler {
  buildSync(options: Readonly<Record<string, unknown>>): unknown;
}

/** esbuild comes with tsx, so it is asked for from there. */
function bundler(): Bundler {
  return createRequire(require.resolve("tsx"))("esbuild") as Bundler;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
