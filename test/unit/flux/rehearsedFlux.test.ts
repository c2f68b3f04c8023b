import assert from "node:assert/strict";
import type { JournalEntry } from "../../../components/cluster/journal";
import { allOrNone } from "../../../rehearsal/flux/controllers";
import { settled } from "../../../rehearsal/flux/fluxWorld";
import { KUSTOMIZATIONS, OWNER, SOURCE } from "../../../rehearsal/flux/objects";
import { ranSincePause } from "../../../rehearsal/flux/review";
import { moveThroughStages } from "../../../rehearsal/move";
import type { PulumiStack } from "../../../rehearsal/pulumiStack";
import { FakeKube } from "../../support/fakeKube";

const REPOSITORIES = "/apis/source.toolkit.fluxcd.io/v1/namespaces/openbao/helmrepositories";

describe("the rehearsal's Flux controllers", () => {
  it("are all stopped when one of them does not start", async () => {
    const running: string[] = [];
    const start = (name: string): Promise<void> => {
      if (name === "second") return Promise.reject(new Error("it has ended"));
      running.push(name);
      return Promise.resolve();
    };
    const stop = () => Promise.resolve(void running.splice(0));
    await assert.rejects(allOrNone(["first", "second"], start, stop), /it has ended/);
    assert.deepEqual(running, []);
  });
});

describe("waiting for the rehearsal's owner Kustomization", () => {
  function world(observedGeneration: number): FakeKube {
    const conditions = [{ type: "Ready", status: "True", message: "Applied revision" }];
    const kube = new FakeKube();
    kube.put(`${KUSTOMIZATIONS}/${OWNER}`, {
      metadata: { name: OWNER, generation: 2 },
      status: { observedGeneration, conditions },
    });
    const failed = [{ type: "Ready", status: "False", message: "connection refused" }];
    kube.put(`${SOURCE}/flux-system`, { metadata: { name: "flux-system" }, status: { conditions: failed } });
    kube.put(`${REPOSITORIES}/openbao`, { metadata: { name: "openbao" } });
    return kube;
  }

  it("ends when it is ready at its newest generation", async () => {
    await settled(world(2), 0.1, () => undefined);
  });

  it("does not take the ready of an older generation, and says what the sources say", async () => {
    await assert.rejects(
      settled(world(1), 0.1, () => undefined),
      /Kustomization infrastructure-controllers to be ready.*GitRepository flux-system says: Ready: connection refused.*HelmRepository openbao says: nothing/s,
    );
  });
});

describe("the claim that the parent ran while its child was paused", () => {
  const entry = (step: string, beat: JournalEntry["beat"], time: string): JournalEntry =>
    ({ step, beat, time, observed: {} }) as unknown as JournalEntry;
  const journal = [
    entry("pause", "act", "2026-11-24T10:00:00Z"),
    entry("pause", "done", "2026-11-24T10:00:05Z"),
  ];

  it("does not hold by a run of before the pause", () => {
    assert.equal(ranSincePause("2026-11-24T10:00:04Z", journal).holds, false);
    assert.equal(ranSincePause("2026-11-24T10:00:40Z", journal).holds, true);
  });

  it("does not hold where one of the times is not known", () => {
    assert.equal(ranSincePause(undefined, journal).holds, false);
    assert.equal(ranSincePause("2026-11-24T10:00:40Z", []).holds, false);
  });
});

describe("a rehearsal from Git to Git that is killed in each stage", () => {
  it("is reviewed before land is killed, so that step resume has begun by then", async () => {
    const calls: string[] = [];
    const ended = { code: 0, output: "", seconds: 0 };
    let stage = "";
    const note = (call: string) => {
      if (stage === "land") calls.push(call);
    };
    const stack = {
      select: (name: string) => Promise.resolve(void (stage = name)),
      preview: () => Promise.resolve(ended),
      up: () => (note("up"), Promise.resolve(ended)),
      startUp: () => (note("killed up"), { child: { exitCode: 0 }, done: Promise.resolve(ended) }),
      cancel: () => Promise.resolve(),
    } as unknown as PulumiStack;
    await moveThroughStages(
      stack,
      new FakeKube(),
      { kill: true, rollback: undefined, carry: "migrate" },
      () => undefined,
      () => Promise.resolve(note("reviewed")),
    );
    assert.deepEqual(calls, ["up", "reviewed", "killed up", "up"]);
  });
});
