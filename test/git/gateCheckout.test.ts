import assert from "node:assert/strict";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checks } from "../../components/gate/checks";
import { judged } from "../../components/gate/judged";
import { gitIn, gitTemplate, type Git } from "../support/gitTemplate";
import { configOf, raftWorld } from "../support/snapshotBuilder";

const repository = gitTemplate("gate-checkout", (folder, git) => {
  writeFileSync(join(folder, "release.yaml"), "a: 1\n");
  git("add", ".");
  git("commit", "-q", "-m", "first");
});

describe("gate checks of the Git checkout (F69)", () => {
  let folder: string;

  beforeEach(() => {
    folder = repository();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const git: Git = (...words) => gitIn(folder)(...words);

  async function look(among = checks, more: object = {}, world = raftWorld()) {
    const git = { checkout: folder, helmRelease: "release.yaml", ...more };
    const config = configOf({ stage: "land", git });
    return judged({ ok: true, config }, config, await world.snapshot(config), among).report.rows;
  }
  const outcome = async (id: string, ...more: [object?, ReturnType<typeof raftWorld>?]) =>
    (await look(checks, ...more)).find((row) => row.check.id === id)!;

  it("pass for a clean checkout with the file", async () => {
    assert.equal((await outcome("git-checkout")).outcome, "PASS");
    assert.equal((await outcome("git-clean")).outcome, "PASS");
  });

  const plants: [string, string, () => void, RegExp][] = [
    ["git-checkout", "a missing file", () => git("rm", "-q", "release.yaml"), /release\.yaml: missing/],
    ["git-checkout", "a folder that is gone", () => rmSync(folder, { recursive: true }), /is missing/],
    [
      "git-checkout",
      "no repository",
      () => rmSync(join(folder, ".git"), { recursive: true }),
      /not a Git repository/,
    ],
    ["git-clean", "a change that is not committed", () => writeFileSync(join(folder, "b"), ""), /^b$/],
    [
      "git-checkout",
      "a link that leads out",
      () => {
        rmSync(join(folder, "release.yaml"));
        symlinkSync("/etc/hostname", join(folder, "release.yaml"));
      },
      /leads out/,
    ],
  ];
  for (const [id, title, plant, found] of plants) {
    it(`${id} finds ${title}; without it that goes through`, async () => {
      plant();
      const row = await outcome(id);
      assert.equal(row.outcome, "FAIL");
      assert.match(row.judgement.found, found);
      const rest = await look(checks.filter((check) => check.id !== id));
      assert.ok(!rest.some((one) => one.outcome === "FAIL" && found.test(one.judgement.found)));
      mkdirSync(folder, { recursive: true });
    });
  }

  it("git-checkout asks for a kustomization that can list a policy file which is not there", async () => {
    const key = { networkPolicy: "k8s/raft.yaml" };
    const row = await outcome("git-checkout", key);
    assert.equal(row.outcome, "FAIL");
    assert.match(row.judgement.found, /k8s\/kustomization\.yaml: missing/);
    mkdirSync(join(folder, "k8s"));
    writeFileSync(join(folder, "k8s/kustomization.yaml"), "resources: []\n");
    assert.equal((await outcome("git-checkout", key)).outcome, "PASS");
    rmSync(join(folder, "k8s/kustomization.yaml"));
    writeFileSync(join(folder, "k8s/raft.yaml"), "");
    assert.equal((await outcome("git-checkout", key)).outcome, "PASS");
  });

  it("git-checkout asks for the file of the replica floor", async () => {
    const row = await outcome("git-checkout", { replicaFloor: "floor.yaml" });
    assert.match(row.judgement.found, /floor\.yaml: missing/);
  });

  it("git-checkout says beforehand that a policy which runs is not the one that would land", async () => {
    const world = raftWorld();
    world.kube.put("/apis/networking.k8s.io/v1/namespaces/openbao/networkpolicies/openbao-raft", {
      spec: { podSelector: {}, policyTypes: ["Ingress"] },
    });
    const row = await outcome("git-checkout", { networkPolicy: "release.yaml" }, world);
    assert.equal(row.outcome, "FAIL");
    assert.match(row.judgement.found, /openbao-raft: found rules in the cluster/);
  });
});
