import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../components/projectRoot";
import { planSteps, type StepRecord } from "../../components/steps/plan";
import { fencedRun, LOST, type FencedRun } from "../support/fencedRun";
import { fenceWorlds, type FenceWorld } from "../support/fenceWorlds";
import type { Path } from "../support/obeyedWorld";
import { scriptOf } from "../support/stepWorlds";

const COMPONENTS = join(PROJECT_ROOT, "components");

/** What they write is in Git, on the nodes, or of a probe's own pods. */
const ELSEWHERE = ["git-keys", "git-keys-land", "land-git", "network-probe", "talos-firewall"];
const ONLY_LOOK = [
  ...["compare-cutover", "compare-verify", "external-secrets", "reseed-check", "reseed-check-backup"],
  ...["rollback-compare", "services", "snapshot"],
];

/** Each step of any path once, with the paths that have it. */
const steps = new Map<string, { record: StepRecord; paths: Path[] }>();
for (const path of [undefined, "none", "restore", "restore-file", "reseed"] as const) {
  for (const record of planSteps("openbao", 3, path)) {
    // What comes before and after these stages is the same on each path.
    if (path !== undefined && !["backup", "cutover"].includes(record.stage)) continue;
    const known = steps.get(record.id) ?? { record, paths: [] };
    steps.set(record.id, { ...known, paths: [...known.paths, path] });
  }
}

describe("a step that has lost its Lease to another run (F9, F10)", () => {
  const reached = new Set<string>();
  const writes = new Map<string, number>();

  for (const [id, { record, paths }] of steps) {
    it(`step ${id} writes nothing once its Lease is lost (F9)`, async () => {
      const step = await scriptOf(record.script);
      let last: Promise<unknown> = Promise.resolve();
      const run = (world: FenceWorld, lostFrom?: number): Promise<FencedRun> => {
        const work = async () => {
          const { context, outside, end } = await world.make();
          return fencedRun(step, context, lostFrom, outside).finally(end);
        };
        if (world.alone !== true) return work();
        const inTurn = last.then(work);
        last = inTurn.catch(() => undefined);
        return inTurn;
      };
      const all = paths.flatMap((path) => fenceWorlds(id, path));
      const runs = await Promise.all(all.map(async (world) => ({ world, held: await run(world) })));
      // One of each kind: the others would lose the Lease in the same places.
      const different = new Map(runs.map((one) => [[...one.held.fences, ...one.held.writes].join(), one]));
      for (const { world, held } of runs) {
        for (const fence of held.fences) reached.add(fence);
        writes.set(id, (writes.get(id) ?? 0) + held.writes.length);
        assert.deepEqual(held.unfenced, [], `${world.name}: written without a look at the Lease just before`);
      }
      await Promise.all(
        [...different.values()].flatMap(({ world, held }) =>
          held.fences.map(async (fence, at) => {
            const lost = await run(world, at + 1);
            const where = `${world.name}: the Lease is lost at ${fence}`;
            assert.deepEqual(lost.afterLoss, [], where);
            assert.equal(String(lost.error), `Error: ${LOST}`, where);
          }),
        ),
      );
    });
  }

  it("comes to each look at the Lease that stands in components/, or another test does", async () => {
    assert.deepEqual((await looksAtLease()).filter((one) => !reached.has(one)).map(fileOf), [
      // gitKeys.test.ts, landGitPush.test.ts and talosFirewall.test.ts, each with the program it needs
      "steps/scripts/gitKeys.ts",
      "steps/scripts/landGit.ts",
      "steps/scripts/talosFirewall.ts",
    ]);
  });

  it("was about to write in each step, but for those that only look, ask, or write elsewhere", () => {
    const silent = [...steps.keys()].filter((id) => writes.get(id) === 0);
    assert.deepEqual(silent.sort(), [...ELSEWHERE, ...ONLY_LOOK].sort());
  });
});

/** Each place as `steps/scripts/stop.ts:72`, in the order of their names. */
async function looksAtLease(): Promise<string[]> {
  const files = (await readdir(COMPONENTS, { recursive: true }))
    .filter((name) => name.endsWith(".ts"))
    .sort();
  const places = await Promise.all(
    files.map(async (file) => {
      const lines = (await readFile(join(COMPONENTS, file), "utf8")).split("\n");
      return lines.flatMap((line, at) =>
        /await (ctx\.)?fence\.assertHeld\(\)/.test(line) ? [`${file}:${at + 1}`] : [],
      );
    }),
  );
  // pauseWatch.test.ts has the one that hands on to the run's own.
  return places.flat().filter((one) => fileOf(one) !== "steps/pauseWatch.ts");
}

function fileOf(place: string): string {
  return place.split(":")[0]!;
}
