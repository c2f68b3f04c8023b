// Makes one file of many sources, once for each state of them: to load a program of hundreds of modules from its sources
// takes a second and more, for each preview, and for each step inside the outage.
const { createHash } = require("node:crypto");
const { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } = require("node:fs");
const { basename, dirname, join } = require("node:path");

const root = dirname(__dirname);
const folder = join(root, "node_modules/.cache/openbao-raft-migration");

/** The file's name holds the digest of all that it is made of: one of other sources is never run. */
function pathOf({ name, ...made }) {
  const sources = readdirSync(join(root, "components"), { recursive: true })
    .filter((source) => /\.(ts|mjs|cjs)$/.test(source))
    .map((source) => join("components", source));
  const hash = createHash("sha256").update(`${root}\0${JSON.stringify(made)}\0`);
  for (const source of ["package-lock.json", "index.ts", "config.ts", ...sources.sort()]) {
    hash
      .update(`${source}\0`)
      .update(readFileSync(join(root, source)))
      .update("\0");
  }
  return join(folder, `${name}-${hash.digest("hex")}.cjs`);
}

/**
 * The file `name`, made of the module `contents` that stands in `resolveDir`, a folder of the project.
 * @param external packages that stay what they are, since others share their state
 * @throws Error when it cannot be made; the sources can then be run as they are
 */
function oneFile({ name, contents, resolveDir, external = [] }) {
  const path = pathOf({ name, contents, resolveDir, external });
  if (existsSync(path)) return path;
  const partial = join(folder, `${process.pid}.${name}.cjs`);
  mkdirSync(folder, { recursive: true });
  require("esbuild").buildSync({
    stdin: { contents, resolveDir: join(root, resolveDir) },
    bundle: true,
    platform: "node",
    target: "node20",
    external,
    // node_modules may be a link to elsewhere: the project is where its sources are.
    define: { __dirname: JSON.stringify(join(root, "components")) },
    format: "cjs",
    outfile: partial,
    logLevel: "silent",
  });
  renameSync(partial, path);
  const old = new RegExp(`^${name}-.*\\.cjs$`);
  for (const file of readdirSync(folder))
    if (old.test(file) && file !== basename(path)) rmSync(join(folder, file), { force: true });
  return path;
}

module.exports = { oneFile };
