// Makes one file of @kubernetes/client-node. Its thousands of modules cost each step two seconds at start, and steps
// run inside the outage. Run after each install; without the file the library is loaded as it is, only slower.
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const modules = join(root, "node_modules");
const library = join(modules, "@kubernetes/client-node/package.json");
const { version } = JSON.parse(readFileSync(library, "utf8"));
const folder = join(modules, ".cache/openbao-raft-migration");
const partial = join(folder, `${process.pid}.cjs`);

mkdirSync(folder, { recursive: true });
await build({
  stdin: { contents: 'export { KubeConfig, PortForward } from "@kubernetes/client-node"', resolveDir: root },
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  outfile: partial,
  logLevel: "error",
});
renameSync(partial, join(folder, `client-node-${version}.cjs`));
