import assert from "node:assert/strict";
import type { KubeObject } from "../../components/cluster/kubeClient";
import { runJob } from "../../components/steps/nodeJob";
import { StepWorld } from "../support/stepContext";

const PODS = "/api/v1/namespaces/openbao/pods";
const JOBS = "/apis/batch/v1/namespaces/openbao/jobs";
const NAME = "openbao-raft-carry";
const JOB = { name: NAME, script: "carry.sh", timeoutSeconds: 3600 };

describe("the result of a Job", () => {
  let world: StepWorld;
  beforeEach(() => (world = new StepWorld("carry")));

  /** The container of a pod of the Job with this uid ends once the Job runs. */
  function endsWhileTheJobRuns(uid: string | undefined, terminated: object, sidecar: object = {}): void {
    world.kube.onWrite(({ verb, path }) => {
      if (verb !== "create" || path !== JOBS) return;
      setTimeout(() => {
        const own = world.kube.peek<KubeObject>(`${JOBS}/${NAME}`)?.metadata?.uid;
        world.kube.put(`${PODS}/p`, {
          metadata: { labels: { app: NAME, "controller-uid": uid ?? own ?? "" } },
          status: {
            containerStatuses: [
              { name: "mesh", state: sidecar },
              { name: "step", state: { terminated } },
            ],
          },
        });
      }, 20);
    });
  }

  function jobEnds(type: string): void {
    const job = world.kube.peek<KubeObject>(`${JOBS}/${NAME}`)!;
    world.kube.put(`${JOBS}/${NAME}`, { ...job, status: { conditions: [{ type, status: "True" }] } });
  }

  it("is there when the script has ended with it: the Job says so two seconds later, inside the outage", async () => {
    endsWhileTheJobRuns(undefined, { exitCode: 0, message: '{"entries":3}' });
    assert.deepEqual(await runJob(world.context, JOB), { exitCode: 0, facts: { entries: 3 } });
    assert.equal(world.kube.peek<{ status?: object }>(`${JOBS}/${NAME}`)?.status, undefined);
  });

  it("is a refusal of the script as well, with its facts", async () => {
    endsWhileTheJobRuns(undefined, { exitCode: 21, message: '{"empty":2}' });
    assert.deepEqual(await runJob(world.context, JOB), { exitCode: 21, facts: { empty: 2 } });
  });

  it("is none of a pod that an earlier Job of this name left behind (hazard F17)", async () => {
    endsWhileTheJobRuns("of-an-earlier-job", { exitCode: 0, message: '{"entries":3}' });
    const result = runJob(world.context, JOB).then(
      () => "taken",
      (error: Error) => error.message,
    );
    setTimeout(() => world.kube.drop(`${JOBS}/${NAME}`), 100);
    assert.match(await result, /was deleted while it ran/);
  });

  it("is none of such a pod once the Job has ended, either (hazard F17)", async () => {
    endsWhileTheJobRuns("of-an-earlier-job", { exitCode: 0, message: '{"entries":3}' });
    setTimeout(() => jobEnds("Complete"), 100);
    await assert.rejects(runJob(world.context, JOB), /left no result/);
  });

  for (const early of [true, false])
    it(`is that of the script, whatever container an injector put before it: ${early ? "pod" : "Job"} ended (hazard F16)`, async () => {
      const sidecar = { terminated: { exitCode: 0, message: '{"entries":9}' } };
      const own = early ? { exitCode: 0, message: '{"entries":3}' } : { exitCode: 137 };
      endsWhileTheJobRuns(undefined, own, sidecar);
      if (!early) setTimeout(() => jobEnds("Failed"), 100);
      const { exitCode, facts } = await runJob(world.context, JOB);
      assert.deepEqual([exitCode, facts["entries"]], early ? [0, 3] : [137, undefined]);
    });

  it("is none of a container that was killed: what ended it, the Job tells (hazard F16)", async () => {
    endsWhileTheJobRuns(undefined, { exitCode: 0 });
    setTimeout(() => jobEnds("Complete"), 100);
    await assert.rejects(runJob(world.context, JOB), /without the result that its script writes at its end/);
  });
});
