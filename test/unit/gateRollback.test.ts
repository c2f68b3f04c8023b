import assert from "node:assert/strict";
import { parseConfig } from "../../config";
import { checks } from "../../components/gate/checks";
import { judged } from "../../components/gate/judged";
import { blocks, formatReport, type GateReport } from "../../components/gate/report";
import { VALUES_ANNOTATION } from "../../components/steps/originalValues";
import {
  configOf,
  JOURNAL,
  journalOf,
  LEASE,
  NS,
  raftWorld,
  RELEASE,
  SECRET,
  standaloneWorld,
  STATEFUL_SET,
  type World,
} from "../support/snapshotBuilder";

const config = configOf({ stage: "replicas", rollback: true });
const MOVED = [
  ["stop", "done"],
  ["carry", "done"],
  ["roll", "act"],
] as const;

async function judge(world: World, settings = config, among = checks): Promise<GateReport> {
  return judged({ ok: true, config: settings }, settings, await world.snapshot(settings), among).report;
}

/** On Raft, not landed, with the record of the old values. */
function moved(): World {
  const world = raftWorld();
  world.kube.put(JOURNAL, journalOf(...MOVED));
  return world.patch(RELEASE, { metadata: { annotations: { [VALUES_ANNOTATION]: "{}" } } });
}

const outcomes = (report: GateReport, ...which: string[]) =>
  report.rows.filter((row) => which.includes(row.outcome)).map((row) => row.check.id);

describe("the gate of a rollback (hazard F67)", () => {
  it("lets a move that has not landed be taken back, and says what is lost", async () => {
    const report = await judge(moved());
    assert.equal(blocks(report), false);
    assert.deepEqual(outcomes(report, "WARN"), ["rollback-loss"]);
    assert.match(formatReport(report), /stage rollback asked for/);
    assert.match(
      formatReport(report),
      /as of 2026-11-24T08:00:00\.000Z, 60 minutes ago; what was written since is lost/,
    );
  });

  it("says nothing of what is lost without rollback-loss", async () => {
    const report = await judge(
      moved(),
      config,
      checks.filter((one) => one.id !== "rollback-loss"),
    );
    assert.deepEqual(outcomes(report, "WARN"), []);
    assert.doesNotMatch(formatReport(report), /is lost/);
  });

  it("stops a rollback after a restore or a reseed: they keep no file storage to go back to", async () => {
    const world = moved();
    world.kube.put(JOURNAL, journalOf(...MOVED, ["set-aside", "act"]));
    const report = await judge(world);
    assert.deepEqual(outcomes(report, "FAIL"), ["rollback-file-data"]);
    assert.match(formatReport(report), /only carry migrate keeps a file storage/);
  });

  it("has nothing to say where nothing was moved", async () => {
    const report = await judge(standaloneWorld());
    assert.deepEqual(outcomes(report, "FAIL", "UNKNOWN", "WARN"), []);
  });

  it("is not stopped by what stands in the way forward: a sealed node, two of three nodes gone, closed ports", async () => {
    const world = moved();
    for (const n of [1, 2]) {
      world.kube.drop(`${NS}/pods/openbao-${n}`);
      delete world.servers[`openbao-${n}`];
    }
    Object.assign(world.servers["openbao-0"]!, { isLeader: false, health: 503 });
    world.servers["openbao-0"]!.seal["sealed"] = true;
    world.kube.drop("/apis/networking.k8s.io/v1/namespaces/openbao/networkpolicies/openbao-raft");
    assert.deepEqual(outcomes(await judge(world), "FAIL", "UNKNOWN"), []);
    const forward = await judge(world, configOf({ stage: "replicas" }));
    assert.equal(blocks(forward), true);
  });

  it("is not stopped by a waiver for the way forward that has expired", async () => {
    const waivers = [{ check: "source-unsealed", reason: "r", expires: "2026-01-01" }];
    const back = configOf({ stage: "replicas", rollback: true, waivers });
    assert.equal(blocks(await judge(moved(), back)), false);
    assert.equal(blocks(await judge(moved(), configOf({ stage: "replicas", waivers }))), true);
  });

  const hazards: readonly [check: string, title: string, found: RegExp, plant: (world: World) => unknown][] =
    [
      [
        "rollback-not-landed",
        "a move that has landed",
        /landed at 2026-11-24T08:03.*60 minutes ago, and every write since then would be lost/,
        ({ kube }) => kube.put(JOURNAL, journalOf(...MOVED, ["resume", "act"])),
      ],
      [
        "rollback-not-landed",
        "a release on Raft that is not paused, whatever the journal says",
        /landed/,
        (world) =>
          world.patch(RELEASE, { metadata: { annotations: { "openbao-raft-migration/paused": null } } }),
      ],
      [
        "rollback-old-values",
        "old values that nobody recorded (I1)",
        /raft, no record/,
        (world) => world.patch(RELEASE, { metadata: { annotations: { [VALUES_ANNOTATION]: null } } }),
      ],
      [
        "rollback-file-data",
        "a volume that is gone (F38)",
        /no claim data-openbao-0/,
        ({ kube }) => kube.drop(`${NS}/persistentvolumeclaims/data-openbao-0`),
      ],
      [
        "rollback-file-data",
        "a file storage that cleanup has removed",
        /cleanup removed it/,
        ({ kube }) => kube.put(JOURNAL, journalOf(...MOVED, ["cleanup-file-data", "act"])),
      ],
      [
        "key-secret-present",
        "a key Secret that is gone (F25)",
        /no such Secret/,
        ({ kube }) => kube.drop(SECRET),
      ],
      [
        "no-other-run",
        "another run at work (F8)",
        /other/,
        ({ kube }) =>
          kube.put(LEASE, {
            spec: { holderIdentity: "other", renewTime: "2026-11-24T09:00:00Z", leaseDurationSeconds: 30 },
          }),
      ],
      [
        "stateful-set-exists",
        "a StatefulSet that is gone (F41)",
        /no such StatefulSet/,
        ({ kube }) => kube.drop(STATEFUL_SET),
      ],
    ];
  it("has a planted hazard for each check of a rollback, rollback-loss above apart, which warns", () => {
    const planted = hazards.map(([check]) => check);
    const own = checks.filter(({ stage, severity }) => stage === "rollback" && severity === "block");
    assert.deepEqual(
      own.map(({ id }) => id).filter((id) => !planted.includes(id)),
      [],
    );
    const warn = checks.filter(({ stage, severity }) => stage === "rollback" && severity === "warn");
    assert.deepEqual(
      warn.map(({ id }) => id),
      ["rollback-loss"],
    );
  });

  for (const [check, title, found, plant] of hazards) {
    it(`${check} finds ${title}, and without it the rollback goes ahead`, async () => {
      const world = moved();
      plant(world);
      const row = (await judge(world)).rows.find((one) => one.check.id === check)!;
      assert.match(row.judgement.found, found);
      assert.equal(blocks(await judge(world)), true);
      const without = checks.filter((one) => one.id !== check && one.id !== "unseal-key-shape");
      assert.equal(blocks(await judge(world, config, without)), false);
    });
  }
});

describe("the gate after a rollback (hazard F68)", () => {
  const after = [...MOVED, ["rollback-begin", "act"], ["rollback-resume", "done"]] as const;

  it("lets the way forward begin anew, and takes nothing of before for done", async () => {
    const world = standaloneWorld();
    const backup = [
      ["inventory-backup", "done"],
      ["file-copy", "done"],
    ] as const;
    world.kube.put(JOURNAL, journalOf(...backup, ...after));
    const report = await judge(world, configOf({ stage: "replicas" }));
    assert.equal(blocks(report), false);
    assert.equal(report.observed, "none");
  });

  it("takes a follower's volume whose Raft state was put aside, and no other (hazard I33)", async () => {
    const world = standaloneWorld();
    world.kube
      .put(`${NS}/persistentvolumeclaims/data-openbao-1`, {
        metadata: { uid: "u1" },
        status: { phase: "Bound" },
      })
      .put(JOURNAL, journalOf(...after, ["rollback-set-aside-1", "done", { claimUid: "u1" }]));
    const forward = configOf({ stage: "replicas" });
    assert.equal(blocks(await judge(world, forward)), false);
    world.kube.put(JOURNAL, journalOf(...after, ["rollback-set-aside-1", "done", { claimUid: "u2" }]));
    assert.deepEqual(outcomes(await judge(world, forward), "FAIL"), ["raft-leftovers"]);
  });
});

describe("config of rollback and cleanup", () => {
  const keys = (raw: Record<string, unknown>) => {
    const result = parseConfig(raw);
    return result.ok ? [] : result.findings.map((finding) => finding.key);
  };
  const git = { checkout: "x", helmRelease: "y" };

  it("asks for no Git checkout on the way back", () =>
    assert.deepEqual(keys({ stage: "land", rollback: true }), []));

  it("takes cleanup with the one right name, at stage land", () =>
    assert.deepEqual(keys({ stage: "land", git, cleanup: { fileData: "data-openbao-0" } }), []));

  it("refuses cleanup by another name, before land, or together with rollback, all at once", () => {
    const cleanup = { fileData: "data-openbao-1" };
    assert.deepEqual(keys({ stage: "land", git, cleanup }), ["openbao-migration:cleanup.fileData"]);
    assert.deepEqual(keys({ stage: "verify", rollback: true, cleanup }), [
      "openbao-migration:cleanup",
      "openbao-migration:cleanup",
      "openbao-migration:cleanup.fileData",
    ]);
  });
});
