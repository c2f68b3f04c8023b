import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseConfig } from "../../config";
import { coverage, covers } from "../../components/inventory/coverage";
import { loopbackConfig } from "../../components/openBaoConfig/loopbackConfig";
import { planSteps, RESOURCES, stepsOf } from "../../components/steps/plan";
import { runnable } from "../../components/steps/scripts/reseedJobs";
import { planPartsOf } from "../../components/gate/planParts";
import { parseOptions } from "../../rehearsal/options";
import { configOf, standaloneWorld } from "../support/snapshotBuilder";

function faults(values: Record<string, unknown>): string[] {
  const result = parseConfig({ stage: "network", ...values });
  return result.ok ? [] : result.findings.map((one) => one.key.replace("openbao-migration:", ""));
}

describe("the config of the data paths", () => {
  const snapshot = { file: "/backup/one.snap" };

  it("takes what each path needs", () => {
    assert.deepEqual(faults({ carry: "migrate" }), []);
    assert.deepEqual(faults({ carry: "none", snapshot }), []);
    assert.deepEqual(faults({ carry: "restore", snapshot: { ...snapshot, from: "file" } }), []);
    assert.deepEqual(faults({ carry: "reseed", reseed: { discard: ["secret/"] } }), []);
  });

  it("names what a path lacks, and what belongs to another, all at once", () => {
    assert.deepEqual(faults({ carry: "restore" }), ["snapshot"]);
    assert.deepEqual(faults({ carry: "reseed", snapshot }), ["snapshot", "reseed"]);
    assert.deepEqual(faults({ carry: "migrate", snapshot, reseed: { discard: ["x"] } }), [
      "snapshot",
      "reseed",
    ]);
    assert.deepEqual(faults({ carry: "none", snapshot: { ...snapshot, from: "file" } }), ["snapshot.from"]);
  });

  it("refuses a way back, or a clean-up, of file storage that only migrate keeps (F67)", () => {
    const cleanup = { fileData: "data-openbao-0" };
    for (const values of [
      { carry: "none", snapshot },
      { carry: "reseed", reseed: { discard: ["x"] } },
    ]) {
      assert.deepEqual(faults({ ...values, rollback: true }), ["rollback"]);
      const git = { checkout: ".", helmRelease: "a.yaml" };
      assert.deepEqual(faults({ ...values, stage: "land", git, cleanup }), ["cleanup"]);
    }
    assert.deepEqual(faults({ rollback: true }), []);
    assert.throws(() => parseOptions(["--carry", "none", "--rollback", "cutover"]), /only carry migrate/);
  });

  it("shows every fault in one go: a broken key hides none between other keys, at any depth", () => {
    const result = parseConfig({
      carry: "restore",
      stage: "land",
      replicas: 4,
      reseed: { jobs: [{ name: "BAD NAME" }, { name: "fill", rebuild: [] }] },
      alerts: { labels: { "a.b/c": 1 } },
      git: { checkout: ".", values: "values.yaml", talosPatch: "talos.yaml" },
      cleanup: { fileData: "data-openbao-0" },
      rollback: true,
      unknown: 1,
    });
    assert.ok(!result.ok);
    const found = new Map(result.findings.map((one) => [one.key.replace("openbao-migration:", ""), one]));
    assert.deepEqual([...found.keys()].sort(), [
      'alerts.labels["a.b/c"]',
      "cleanup",
      "git.helmRelease",
      "git.values",
      "replicas",
      "reseed.jobs[0].name",
      "reseed.jobs[1].rebuild",
      "rollback",
      "snapshot",
      "talos",
      "unknown",
    ]);
    assert.equal(found.get("reseed.jobs[1].rebuild")?.expected, "one of: kind, name, rebuilds");
    assert.match(found.get("reseed.jobs[0].name")?.fix ?? "", /--path '\S+:reseed\.jobs\[0\]\.name'/);
  });

  it("judges nothing between keys of which one is broken", () => {
    assert.deepEqual(faults({ carry: "everything", snapshot, rollback: true }), ["carry"]);
    assert.deepEqual(faults({ carry: "restore", snapshot: { file: 1 } }), ["snapshot.file"]);
  });

  it("knows no key that it does not know", () => {
    assert.deepEqual(faults({ carry: "restore", snapshot: { ...snapshot, maxAge: 3 } }), ["snapshot.maxAge"]);
    assert.deepEqual(faults({ carry: "everything" }), ["carry"]);
  });
});

describe("the plan of each data path", () => {
  const ids = (path: Parameters<typeof planSteps>[2]) => planSteps("openbao", 3, path).map((step) => step.id);

  it("is what the stages, the plan digest and the journal ask by: stepsOf takes the config's path", async () => {
    const config = configOf({ carry: "restore", snapshot: { file: "/one.snap", from: "file" } });
    const taken = stepsOf(config).map((step) => step.id);
    const left = ["talos-firewall", "external-secrets", "git-keys-land"];
    assert.deepEqual(
      taken,
      ids("restore-file").filter((id) => !left.includes(id)),
    );
    const look = await standaloneWorld().snapshot(config);
    const [own, other] = [config, configOf()].map((one) => planPartsOf(look, one));
    assert.notEqual(own!.steps, other!.steps);
    assert.deepEqual([own!.carry, other!.carry], ["restore-file", "migrate"]);
  });

  it("stops nothing, and starts nothing, for a source that stays where it is", () => {
    for (const step of ["stop", "carry", "set-aside", "flip", "roll", "init", "restore"])
      assert.equal(ids("none").includes(step), false, step);
  });

  it("stops only what was snapshotted, and restores before a second node starts (F22, I19)", () => {
    const plan = ids("restore");
    const order = ["snapshot", "inventory-cutover", "stop", "final-snapshot", "set-aside", "restore"];
    assert.deepEqual(
      plan.filter((step) => order.includes(step)),
      order,
    );
    assert.ok(plan.indexOf("restore") < plan.indexOf("follower-1"));
  });

  it("judges what a reseed would lose before it stops anything (I48)", () => {
    const plan = ids("reseed");
    assert.ok(plan.indexOf("reseed-check-backup") < plan.indexOf("pause"));
    assert.ok(plan.indexOf("reseed-check") < plan.indexOf("stop"));
    assert.ok(plan.indexOf("stop") < plan.indexOf("init"));
  });

  it("is what docs/carry.md says, step by step with its hazards", () => {
    const text = readFileSync(join(__dirname, "../../docs/carry.md"), "utf8");
    const rows = [...text.matchAll(/^\| `([-\w]+)` +\|.*\| ([A-Z0-9 ]+?) +\|$/gm)].map((row) => [
      row[1],
      row[2],
    ]);
    const known = new Set(ids("migrate"));
    const others = (["restore", "restore-file", "reseed", "none"] as const).flatMap((path) =>
      planSteps("openbao", 3, path).filter((step) => !known.has(step.id)),
    );
    const wanted = new Map(others.map((step) => [step.id, step.hazards.join(" ")]));
    assert.deepEqual(new Map(rows as [string, string][]), wanted);
    const lists = [
      ...text.matchAll(/^\| `(?:none|restore|reseed)`.*?\| ([-\w, ]+?) +\| (pause, [-\w, ]+?) +\|$/gm),
    ];
    assert.deepEqual(
      lists.map((list) => `${list[1]}, ${list[2]}`),
      (["none", "restore", "restore-file", "reseed"] as const).map((path) =>
        planSteps("openbao", 3, path)
          .filter((step) => ["backup", "cutover"].includes(step.stage))
          .map((step) => step.id)
          .join(", "),
      ),
    );
  });

  it("names for each step only what was made before it, inside its stage", () => {
    for (const path of ["migrate", "restore", "restore-file", "reseed", "none"] as const) {
      const made = new Set<string>(Object.values(RESOURCES));
      for (const step of planSteps("openbao", 3, path)) {
        assert.ok(
          existsSync(join(__dirname, `../../components/steps/scripts/${step.script}.ts`)),
          step.script,
        );
        for (const id of step.after) assert.ok(made.has(id), `${path}: ${step.id} after ${id}`);
        made.add(step.id);
      }
    }
  });
});

describe("what a reseed covers (I48)", () => {
  const entry = (name: string, kind = "kv2", mount = "secret/") =>
    ({ name, kind, mount }) as Parameters<typeof coverage>[0][number];

  it("counts by mount and kind what nobody has spoken of, without a name", () => {
    const seen = coverage(
      [entry("secret/app/a"), entry("secret/other"), entry("secret/x"), entry("kv1/y", "kv1", "kv1/")],
      ["secret/app"],
      ["kv1/"],
    );
    assert.deepEqual(seen, {
      rebuilt: 1,
      discarded: 1,
      uncovered: [{ mount: "secret/", kind: "kv2", entries: 2 }],
    });
  });

  it("does not ask for what every new store has", () => {
    const own = [
      entry("sys/policies/acl/root", "policy", "sys/"),
      entry("sys/auth/token/", "auth", "sys/"),
      entry("sys/audit/file/", "audit", "sys/"),
    ];
    assert.deepEqual(coverage(own, [], []).uncovered, []);
    assert.equal(coverage([entry("sys/policies/acl/app", "policy", "sys/")], [], []).uncovered.length, 1);
  });

  it("covers a path and what lies below it, and no other that begins alike", () => {
    assert.equal(covers("secret/app", "secret/app"), true);
    assert.equal(covers("secret/app", "secret/app/a"), true);
    assert.equal(covers("secret/app", "secret/application"), false);
    assert.equal(covers("secret/app/", "secret/app"), false);
  });
});

describe("a server that only its own pod reaches", () => {
  const options = { path: "/scratch/data", nodeId: "openbao-0", address: "openbao-0.internal:8201" };

  it("keeps the audit blocks byte for byte, and nothing else of the source", () => {
    const audit = 'audit "file" "file/" {\n  options {\n    file_path = "/openbao/audit/audit.log"\n  }\n}';
    const source = `ui = true\nlistener "tcp" { address = "[::]:8200" }\nstorage "raft" { path = "/d" }\n${audit}\nservice_registration "kubernetes" {}\n`;
    const text = loopbackConfig(source, options);
    assert.ok(text.includes(audit));
    assert.doesNotMatch(text, /\[::\]|service_registration|"\/d"|ui =/);
    assert.match(text, /address = "127\.0\.0\.1:8200"/);
  });

  it("does the same for a map", () => {
    const audit = { file: { options: { file_path: "/a" } } };
    const text = loopbackConfig({ audit, storage: { raft: { path: "/d" } }, ui: true }, options);
    const made = JSON.parse(text) as Record<string, unknown>;
    assert.deepEqual(made["audit"], audit);
    assert.deepEqual(Object.keys(made).sort(), ["api_addr", "audit", "cluster_addr", "listener", "storage"]);
  });
});

describe("a Job that is run once more", () => {
  it("loses what ties it to its first run, and keeps its own labels", () => {
    const spec = runnable({
      selector: { matchLabels: { "controller-uid": "1" } },
      suspend: true,
      ttlSecondsAfterFinished: 5,
      backoffLimit: 3,
      template: {
        metadata: { labels: { app: "x", "controller-uid": "1", "batch.kubernetes.io/job-name": "old" } },
        spec: { containers: [] },
      },
    });
    assert.deepEqual(spec, {
      suspend: false,
      backoffLimit: 3,
      template: { metadata: { labels: { app: "x" } }, spec: { containers: [] } },
    });
  });
});
