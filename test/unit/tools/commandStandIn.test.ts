import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { layStandIn, standInIsLaid } from "../../../rehearsal/tools/commandStandIn";

describe("laying the command plugin's stand-in", () => {
  let folder: string;
  let launcher: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "it's a plugin-"));
    launcher = join(folder, "pulumi-resource-command");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("leaves a launcher that starts in any folder name, and refuses a start by hand", () => {
    assert.equal(standInIsLaid(launcher), false);
    layStandIn(launcher);
    assert.equal(standInIsLaid(launcher), true);
    const run = spawnSync(launcher, ["no-address"], { encoding: "utf8" });
    assert.match(run.stderr, /^Found "no-address" as the last argument; expected the engine's address/);
    assert.equal(run.status, 1);
  });

  it("replaces what was laid from other sources, and leaves no trace of it", () => {
    writeFileSync(join(folder, "stand-in-0123456789abcdef.cjs"), "");
    writeFileSync(
      launcher,
      "#!/bin/sh\n# stand-in of openbao-raft-migration\nexec node /elsewhere/main.ts\n",
    );
    assert.equal(standInIsLaid(launcher), false);
    layStandIn(launcher);
    assert.equal(standInIsLaid(launcher), true);
    const [bundle = "", ...others] = readdirSync(folder).filter((entry) => join(folder, entry) !== launcher);
    assert.deepEqual(others, []);
    rmSync(join(folder, bundle));
    assert.equal(standInIsLaid(launcher), false, "without its bundle the launcher is worth nothing");
  });
});
