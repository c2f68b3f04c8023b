import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { sourceFiles } from "../../../rehearsal/cluster/standIns";

const STAND_INS = join(__dirname, "../../../rehearsal/standins");

describe("the sources of a stand-in, by which `up` starts an edited one anew", () => {
  const of = (name: string) =>
    sourceFiles(join(STAND_INS, name, "main.ts")).map((file) => relative(STAND_INS, file));

  it("hold what it borrows from another stand-in", async () => {
    assert.deepEqual(of("localPathProvisioner"), [
      "localPathProvisioner/main.ts",
      "localPathProvisioner/volumeFolder.ts",
      "localPathProvisioner/volumeFor.ts",
      "networkPolicy/apiServer.ts",
      "networkPolicy/followedList.ts",
      "networkPolicy/requiredEnv.ts",
      "networkPolicy/runFollower.ts",
    ]);
  });

  it("are files that are there", async () => {
    for (const file of [...of("networkPolicy"), ...of("helmController")]) {
      assert.equal(existsSync(join(STAND_INS, file)), true, file);
    }
  });
});
