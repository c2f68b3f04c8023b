import assert from "node:assert/strict";
import { readJournal } from "../../components/cluster/journal";
import { applyRelease } from "../../components/steps/applyRelease";
import { whilePaused } from "../../components/steps/pauseWatch";
import { runBeats } from "../../components/steps/runStep";
import { stop } from "../../components/steps/scripts/stop";
import { APPLYING_ANNOTATION } from "../../components/steps/world";
import { OWNER, RELEASE } from "../support/ownedRelease";
import {
  CRON_JOB,
  forAnswer,
  forPod,
  held,
  pausedWorld,
  resumeAs,
  SCALE,
  stepOf,
} from "../support/pausedWorld";
import type { StepWorld } from "../support/stepContext";

describe("somebody ends the pause while a step is at work (hazard F53)", () => {
  for (const [name, path] of [
    ["the HelmRelease", RELEASE],
    ["the Kustomization", OWNER],
  ] as const) {
    for (const beat of ["act", "verify"] as const) {
      for (const [what, wait] of [
        ["for an object", forPod],
        ["for an answer of a server", forAnswer],
      ] as const) {
        it(`ends the wait ${what} in ${beat} at once: ${name} is resumed`, async () => {
          const world = await pausedWorld();
          const step = stepOf(beat, async (ctx) => {
            setImmediate(() => void resumeAs(world, path));
            await wait(ctx);
          });
          await held(
            runBeats(step, world.context),
            new RegExp(`resumed ${path.split("/").slice(-2).join("/")}`),
          );
          const beats = (await readJournal(world.kube, "openbao")).map(
            (entry) => `${entry.step} ${entry.beat}`,
          );
          assert.equal(beats.includes("pause done") && !beats.includes("some done"), true, beats.join());
          assert.equal(world.kube.peek<{ spec: { suspend: boolean } }>(path)!.spec.suspend, false);
        });
      }
    }
  }

  it("holds before the next act that cannot be taken back, with no watch and no time between", async () => {
    const world = await pausedWorld();
    const step = stepOf("act", async (ctx) => {
      await resumeAs(world, CRON_JOB);
      await ctx.fence.assertHeld();
      await ctx.kube.mergePatch(SCALE, { spec: { replicas: 3 } });
    });
    await held(runBeats(step, world.context), /resumed cronjobs\/vault-backup/);
    assert.equal(
      world.kube.writes.some(({ path }) => path === SCALE),
      false,
    );
  });

  it("is seen by a look where nothing is watched: a CronJob in the middle of a wait", async () => {
    const world = await pausedWorld();
    const work = whilePaused(
      world.context,
      async (ctx) => {
        await resumeAs(world, CRON_JOB);
        await forPod(ctx);
      },
      20,
    );
    await held(work, /resumed cronjobs\/vault-backup/);
  });

  it("is seen when the HelmRelease is deleted", async () => {
    const world = await pausedWorld();
    const step = stepOf("act", async (ctx) => {
      setImmediate(() => world.kube.drop(RELEASE));
      await forPod(ctx);
    });
    await held(runBeats(step, world.context), /helmreleases\/openbao.*it was deleted in the middle/);
  });

  it("stops step stop before it scales: Flux would start the server again", async () => {
    const world = (await pausedWorld()).statefulSet(1).pod0("rev-1");
    world.kube.put(RELEASE, { ...world.kube.peek<Record<string, unknown>>(RELEASE)! });
    await world.kube.mergePatch(RELEASE, { spec: { values: { server: { ha: null } } } });
    for (const step of ["file-copy", "inventory-cutover"]) await world.done(step);
    await world.provenKey();
    await resumeAs(world, OWNER);
    await held(
      runBeats(stop, { ...world.context, input: { ...world.context.input, step: "stop" } }),
      /kustomizations\/apps/,
    );
    assert.equal(
      world.kube.writes.some(({ path }) => path === SCALE),
      false,
    );
  });

  it("leaves a paused world alone: the work goes on, and nothing is left that waits", async () => {
    const world = await pausedWorld();
    const step = stepOf("act", async (ctx) => {
      setImmediate(() => void world.pod0("rev-1"));
      await forPod(ctx);
      await world.kube.mergePatch(RELEASE, { metadata: { annotations: { mine: "kept" } } });
    });
    assert.equal((await runBeats(step, world.context)).result, "done");
  });
});

describe("somebody ends the pause while Flux is let to apply the values once (hazard F53)", () => {
  const opened = (world: StepWorld, act: () => unknown) => {
    world.kube.onWrite(({ path, body }) => {
      if (path === RELEASE && JSON.stringify(body).includes('"suspend":false'))
        setImmediate(() => void act());
    });
    const step = stepOf("act", (ctx) => applyRelease(ctx, () => Promise.resolve("not yet")));
    return runBeats(step, world.context);
  };
  const release = (world: StepWorld) =>
    world.kube.peek<{ metadata: { annotations: Record<string, string> }; spec: { suspend: boolean } }>(
      RELEASE,
    )!;

  it("closes what this program opened, and nothing else", async () => {
    const world = await pausedWorld();
    await held(
      opened(world, () => world.kube.put(OWNER, { metadata: { name: "apps" }, spec: { suspend: false } })),
      /resumed kustomizations\/apps/,
    );
    assert.equal(release(world).spec.suspend, true);
    assert.equal(release(world).metadata.annotations[APPLYING_ANNOTATION], undefined);
    assert.equal(world.kube.peek<{ spec: { suspend: boolean } }>(OWNER)!.spec.suspend, false);
  });

  it("never suspends a HelmRelease again that somebody has taken over: our mark is gone", async () => {
    const world = await pausedWorld();
    await held(
      opened(world, () =>
        world.kube.mergePatch(RELEASE, { metadata: { annotations: { [APPLYING_ANNOTATION]: null } } }),
      ),
      /resumed helmreleases\/openbao/,
    );
    assert.equal(release(world).spec.suspend, false);
  });
});
