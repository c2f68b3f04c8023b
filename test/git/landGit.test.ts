import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { land } from "../../components/land/landing";
import { networkPolicyObject } from "../../components/raftPolicyObjects";
import { Refused, runBeats } from "../../components/steps/runStep";
import { landGit } from "../../components/steps/scripts/landGit";
import { RAFT_POLICY_FILE, REPLICA_FLOOR_FILE } from "../../rehearsal/source/platformFiles";
import { LandingCheckout } from "../support/landingCheckout";
import { StepWorld } from "../support/stepContext";

const NETPOL = "/apis/networking.k8s.io/v1/namespaces/openbao/networkpolicies/openbao-raft";
const { spec } = networkPolicyObject({ namespace: "openbao", release: "openbao" }, ["Ingress", "Egress"]);

describe("step land-git with the platform's policies (hazards F69, H4)", () => {
  let made: LandingCheckout;
  let world: StepWorld;
  const said: string[] = [];

  before(async () => {
    made = await LandingCheckout.make();
    const { checkout, branch, helmRelease, variables, replicasVariable } = made.plan;
    const { values } = await land(made.plan);
    made.git("switch", "--quiet", "main");
    made.git("branch", "--quiet", "-D", branch);
    world = await new StepWorld("land-git").onRaft().release(values).done("services");
    const git = {
      ...{ checkout, branch, helmRelease, variables, replicasVariable, push: false },
      ...{ networkPolicy: RAFT_POLICY_FILE, replicaFloor: REPLICA_FLOOR_FILE },
    };
    Object.assign(world.context, { log: (line: string) => said.push(line) });
    Object.assign(world.context.input, { git });
  });
  after(() => made.remove());

  const run = () => runBeats(landGit, world.context);

  it("refuses a policy that somebody has changed, and makes no branch", async () => {
    world.kube.put(NETPOL, { spec: { ...spec, ingress: [{}] } });
    await assert.rejects(run(), (error: unknown) => error instanceof Refused && error.hazard === "F69");
    assert.equal(made.git("branch", "--list", "openbao-raft"), "");
  });

  it("lands the rest where no policy runs, and says so", async () => {
    world.kube.drop(NETPOL);
    const { observed } = await run();
    assert.equal((observed["commits"] as string[]).length, 3);
    assert.ok(said.some((line) => line.startsWith("no policy openbao-raft runs")));
    assert.ok(!existsSync(join(made.plan.checkout, RAFT_POLICY_FILE)));
  });

  it("adds the policy that runs to the branch, and tells the reviewer that the apply takes it over", async () => {
    world.kube.put(NETPOL, { spec });
    const { observed } = await run();
    assert.deepEqual(observed["commits"], [
      "feat(openbao): let its nodes reach each other on the Raft ports",
    ]);
    const text = said.findLast((line) => line.startsWith("text for the pull request"))!;
    assert.match(
      text,
      /NetworkPolicy openbao-raft, as in the cluster already: the first apply takes it over/,
    );
    assert.ok(text.includes(`- \`${RAFT_POLICY_FILE}\``) && text.includes(REPLICA_FLOOR_FILE));
  });
});

describe("step land-git of a source with large entries (hazard I13)", () => {
  it("writes the limit that runs, by the journal: a landing must not take it away", async () => {
    const made = await LandingCheckout.make();
    try {
      const { checkout, branch, helmRelease, variables, replicasVariable } = made.plan;
      const { values } = await land({ ...made.plan, raft: { maxEntrySize: 2_097_152 } });
      made.git("switch", "--quiet", "main");
      made.git("branch", "--quiet", "-D", branch);
      const world = await new StepWorld("land-git").onRaft().release(values).done("services");
      await world.done("file-copy", { largest: 2_000_000 });
      const git = { checkout, branch, helmRelease, variables, replicasVariable, push: false };
      Object.assign(world.context.input, { git });
      await runBeats(landGit, world.context);
      assert.match(made.git("show", `${branch}:${helmRelease}`), /max_entry_size = "2097152"/);
    } finally {
      made.remove();
    }
  });
});
