// For mocha: a source file is compiled once for each of its states, and node_modules are left to Node. tsx looks at each
// of their 1,100 files as well, in each worker: 6 s of a core instead of 2, and a larger process, which takes longer to fork.
const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const Module = require("node:module");
const { basename, join, relative } = require("node:path");

const { version } = require("esbuild/package.json");
const root = join(__dirname, "../..");
const folder = join(root, "node_modules/.cache/test-sources");
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
/** What compiles: esbuild, and the settings below. */
const compiler = sha256(`${version}\0${readFileSync(__filename, "utf8")}`);

mkdirSync(folder, { recursive: true });
process.setSourceMapsEnabled(true);
Module._extensions[".ts"] = (module, filename) => module._compile(compiled(filename), filename);

/** Begins with what it was made of, on the line of the first statement: lines stay what they are in the source. */
function compiled(filename) {
  const source = readFileSync(filename, "utf8");
  const path = join(folder, `${sha256(relative(root, filename))}.js`);
  const mark = `/*${sha256(`${compiler}\0${source}`)}*/`;
  const kept = read(path);
  if (kept?.startsWith(mark)) return kept;
  const { code } = require("esbuild").transformSync(source, {
    loader: "ts",
    format: "cjs",
    platform: "node",
    target: "node20",
    // What a test imports late has no extension either.
    supported: { "dynamic-import": false },
    // As tsc would: TypeScript that is compiled to CommonJS is strict.
    tsconfigRaw: { compilerOptions: { alwaysStrict: true } },
    sourcefile: basename(filename),
    sourcemap: "inline",
    sourcesContent: false,
  });
  const partial = `${path}.${process.pid}`;
  writeFileSync(partial, mark + code);
  renameSync(partial, path);
  return mark + code;
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}
