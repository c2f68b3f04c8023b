import assert from "node:assert/strict";
import { removeJob, runJob } from "../../components/steps/nodeJob";
import { podOfJob } from "../support/jobsEnd";
import { StepWorld } from "../support/stepContext";

const NS = "/api/v1/namespaces/openbao";
const JOBS = "/apis/batch/v1/namespaces/openbao/jobs";
const NAME = "openbao-raft-carry";
const JOB = { name: NAME, script: "carry.sh", timeoutSeconds: 3600 };

describe("a Job that somebody deletes while it runs (hazard F17)", () => {
  /** Lets `deed` happen once the Job runs and is waited for. */
  function whileItRuns(world: StepWorld, deed: () => void): void {
    world.kube.onWrite(({ verb, path }) => {
      if (verb === "create" && path === JOBS) setTimeout(deed, 20);
    });
  }

  it("ends the step by name at once, and not when the copy's hour is over", async () => {
    const world = new StepWorld("carry");
    whileItRuns(world, () => world.kube.drop(`${JOBS}/${NAME}`));
    await assert.rejects(
      runJob(world.context, JOB),
      /^Error: Job openbao-raft-carry was deleted while it ran, and not by this program.*pulumi up again.*\[F17\]$/,
    );
  });

  it("ends it as soon as the deletion is asked for: a finalizer may hold the object for long", async () => {
    const world = new StepWorld("carry");
    whileItRuns(world, () => {
      const job = world.kube.peek<{ metadata: object }>(`${JOBS}/${NAME}`)!;
      const metadata = { ...job.metadata, deletionTimestamp: new Date().toISOString() };
      world.kube.put(`${JOBS}/${NAME}`, { ...job, metadata });
    });
    await assert.rejects(runJob(world.context, JOB), /was deleted while it ran/);
  });

  it("takes the result of one that has ended, although it is being removed already", async () => {
    const world = new StepWorld("carry");
    whileItRuns(world, () => {
      world.kube.put(`${JOBS}/${NAME}`, {
        metadata: { deletionTimestamp: new Date().toISOString() },
        status: { conditions: [{ type: "Complete", status: "True" }] },
      });
      podOfJob(world.kube, NAME, { exitCode: 0, message: '{"entries":3}' });
    });
    assert.deepEqual(await runJob(world.context, JOB), { exitCode: 0, facts: { entries: 3 } });
  });

  it("has its pod waited for before the next one starts: two writers would share the volume (hazard F22)", async () => {
    const world = new StepWorld("carry");
    const pod = `${NS}/pods/openbao-raft-carry-x`;
    world.kube.put(pod, { metadata: { labels: { "job-name": NAME } }, status: { phase: "Running" } });
    let gone = false;
    const removal = removeJob(world.kube, "openbao", NAME).then(() => (gone = true));
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(gone, false);
    world.kube.drop(pod);
    await removal;
  });
});
