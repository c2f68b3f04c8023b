import assert from "node:assert/strict";
import { mkdirSync, writeFileSync, existsSync, chmodSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { foreignChanges, land, type LandPlan } from "../../components/land/landing";
import { LandRefusal } from "../../components/land/landRefusal";
import { livePolicies } from "../../components/land/livePolicies";
import { kustomizationOf, networkPolicyEdit } from "../../components/land/networkPolicyEdit";
import { ciliumPolicyObject, networkPolicyObject, type Direction } from "../../components/raftPolicyObjects";
import { RAFT_POLICY_FILE, REPLICA_FLOOR_FILE } from "../../rehearsal/source/platformFiles";
import { FakeKube } from "../support/fakeKube";
import { LandingCheckout } from "../support/landingCheckout";

const place = { namespace: "openbao", release: "openbao" };
const both: Direction[] = ["Ingress", "Egress"];
const objects = [networkPolicyObject(place, both)];
const KUSTOMIZATION = "# ours\nresources:\n  - a.yaml # first\n\n# the end\n";
const USERS = "# theirs\nkind: NetworkPolicy\nmetadata:\n  name: default-deny\n";
const NETPOL = "/apis/networking.k8s.io/v1/namespaces/openbao/networkpolicies/openbao-raft";
const CNP = "/apis/cilium.io/v2/namespaces/openbao/ciliumnetworkpolicies/openbao-raft";

function refused(act: () => unknown, words: RegExp): void {
  assert.throws(act, (error: unknown) => {
    assert.ok(error instanceof LandRefusal, String(error));
    assert.match(error.message, words);
    return true;
  });
}

describe("the policies of stage network in the checkout (hazards H4, F69)", () => {
  const file = "k8s/openbao/raft.yaml";
  const edit = (text?: string, kustomization?: string) =>
    networkPolicyEdit({ file, objects }, text, kustomization);

  it("are a file of their own, which the kustomization beside it lists; its comments and order stay", () => {
    const { text, kustomization } = edit(undefined, KUSTOMIZATION);
    assert.deepEqual(parse(text), objects[0]);
    assert.equal(kustomization, "# ours\nresources:\n  - a.yaml # first\n  - raft.yaml\n\n# the end\n");
    assert.deepEqual(edit(text, kustomization), { text, kustomization });
  });

  it("are listed where only the line is missing, and not twice where it is written otherwise", () => {
    const { text } = edit(undefined, KUSTOMIZATION);
    assert.match(edit(text, KUSTOMIZATION).kustomization!, /- raft\.yaml\n/);
    const other = "resources: [./raft.yaml]\n";
    assert.equal(edit(text, other).kustomization, other);
    assert.equal(edit(text, "resources: [a.yaml]\n").kustomization, "resources: [a.yaml, raft.yaml]\n");
  });

  it("are documents at the end of the user's own file, whose kustomization is the user's", () => {
    const { text, kustomization } = edit(USERS, KUSTOMIZATION);
    assert.ok(text.startsWith(`${USERS}---\n`));
    assert.equal(kustomization, undefined);
    assert.deepEqual(edit(text), { text });
  });

  it("are set right where they stand with other rules", () => {
    const one = networkPolicyEdit(
      { file, objects: [networkPolicyObject(place, ["Ingress"])] },
      USERS,
      undefined,
    );
    const { text } = edit(one.text);
    assert.equal(text.split("---").length, 2);
    assert.deepEqual(parse(text.split("---\n")[1]!), objects[0]);
  });

  it("leave a document alone that says the same without a namespace or with a label more", () => {
    const { namespace: _, ...metadata } = objects[0]!.metadata;
    const text = `${USERS}---\n${JSON.stringify({ ...objects[0], metadata: { ...metadata, labels: { a: "b" } } })}\n`;
    assert.deepEqual(edit(text), { text });
  });

  it("name no rule for a direction that is free (F46)", () => {
    for (const [direction, rule] of [
      ["Ingress", "ingress"],
      ["Egress", "egress"],
    ] as const) {
      const { spec } = networkPolicyObject({ namespace: "openbao", release: "openbao" }, [direction]);
      assert.deepEqual(Object.keys(spec), ["podSelector", "policyTypes", rule]);
    }
  });

  it("are both kinds where Cilium restricts, too", () => {
    const cilium = ciliumPolicyObject(place, ["Ingress"]);
    const { text } = networkPolicyEdit({ file, objects: [...objects, cilium] }, undefined, KUSTOMIZATION);
    assert.deepEqual(
      text.split("---\n").map((one) => parse(one) as unknown),
      [objects[0], cilium],
    );
  });

  it("are refused without a kustomization that could list them, and by line in one without resources", () => {
    refused(() => edit(), /raft\.yaml: found no such file, and no k8s\/openbao\/kustomization\.yaml/);
    refused(
      () => edit(undefined, "# a\nkind: Kustomization\n"),
      /kustomization\.yaml:2: found no list resources/,
    );
    refused(() => edit(undefined, "resources: &r [a.yaml]\nbases: *r\n"), /kustomization\.yaml:1: .*&r/);
    refused(() => edit(undefined, "kind: Component\nresources: []\n"), /no Kustomization/);
    refused(() => edit("a: ["), /raft\.yaml:1: found YAML that does not parse/);
  });
});

describe("the policies that run (hazard F69)", () => {
  const live = (path: string, spec: object) => livePolicies(new FakeKube().put(path, { spec }), place);

  it("are what is landed, in their own directions", async () => {
    const wanted = networkPolicyObject(place, ["Egress"]);
    assert.deepEqual(await live(NETPOL, wanted.spec), [wanted]);
    const cilium = ciliumPolicyObject(place, ["Ingress"]);
    assert.deepEqual(await live(CNP, cilium.spec), [cilium]);
    assert.deepEqual(await livePolicies(new FakeKube(), place), []);
  });

  it("are refused when somebody changed one: Git would take that back", async () => {
    const { spec } = networkPolicyObject(place, both);
    await assert.rejects(
      live(NETPOL, { ...spec, ingress: [{}] }),
      /openbao-raft: found rules in the cluster/,
    );
  });
});

describe("landing policies in Git (hazards F69, H4)", () => {
  let made: LandingCheckout;
  let plan: LandPlan;
  beforeEach(async () => {
    made = await LandingCheckout.make();
    plan = {
      ...made.plan,
      networkPolicy: { file: RAFT_POLICY_FILE, objects },
      replicaFloor: REPLICA_FLOOR_FILE,
    };
  });
  afterEach(() => made.remove());
  const git = (...args: string[]) => made.git(...args);
  const path = (file: string) => join(plan.checkout, file);

  it("is one commit a theme: the ports first, the exemption from the floor last", async () => {
    const result = await land(plan);
    assert.deepEqual(result.commits, [
      "feat(openbao): let its nodes reach each other on the Raft ports",
      "feat(openbao): ask for 3 replicas",
      "feat(openbao): run on Raft with 3 nodes",
      "feat(policies): hold openbao to the replica floor",
    ]);
    assert.deepEqual(git("show", "--format=", "--name-only", "HEAD~3").split("\n"), [
      kustomizationOf(RAFT_POLICY_FILE),
      RAFT_POLICY_FILE,
    ]);
    assert.ok(result.files.includes(kustomizationOf(RAFT_POLICY_FILE)));
    assert.match(result.themes[0]!, /NetworkPolicy openbao-raft, as in the cluster already/);
    assert.equal(git("status", "--porcelain"), "");
    assert.deepEqual((await land(plan)).commits, []);
  });

  it("changes the one line of the floor with its own comment, and nothing else of it", async () => {
    await land(plan);
    const changed = git("diff", "--unified=0", "main", "openbao-raft", "--", REPLICA_FLOOR_FILE);
    assert.deepEqual(
      changed.split("\n").filter((line) => /^[-+] /.test(line)),
      ["-                # OpenBao on file storage is one node.", "-                - openbao"],
    );
  });

  it("leaves the policies out where none runs", async () => {
    const { commits } = await land({ ...plan, networkPolicy: { file: RAFT_POLICY_FILE, objects: [] } });
    assert.equal(commits.length, 3);
    assert.ok(!existsSync(path(RAFT_POLICY_FILE)));
  });

  for (const [title, stage] of [
    ["written", () => undefined],
    ["staged", () => git("add", "--all")],
  ] as const) {
    it(`goes on after a run that was killed once its new file was ${title}`, async () => {
      await land(plan);
      const text = made.read(RAFT_POLICY_FILE);
      git("reset", "--quiet", "--hard", "main");
      mkdirSync(dirname(path(RAFT_POLICY_FILE)), { recursive: true });
      writeFileSync(path(RAFT_POLICY_FILE), text);
      stage();
      // The gate looks by this, and must not block the run that puts it right.
      assert.deepEqual(await foreignChanges(plan), []);
      assert.equal((await land(plan)).commits.length, 4);
      assert.equal(git("status", "--porcelain"), "");
    });
  }

  it("refuses a new file of that name with another text, and leaves it", async () => {
    await land(plan);
    git("reset", "--quiet", "--hard", "main");
    writeFileSync(path(RAFT_POLICY_FILE), "# mine\n");
    await assert.rejects(land(plan), /not committed \(.*networkpolicy-raft\.yaml/);
    assert.equal(made.read(RAFT_POLICY_FILE), "# mine\n");
  });

  it("takes its new file back when the user's hook refuses the commit", async () => {
    const hook = path(".git/hooks/pre-commit");
    mkdirSync(dirname(hook), { recursive: true });
    writeFileSync(hook, "#!/bin/sh\necho lint says no >&2\nexit 1\n");
    chmodSync(hook, 0o755);
    await assert.rejects(land(plan), { name: "LandRefusal", message: /lint says no/ });
    assert.equal(git("status", "--porcelain"), "");
    assert.ok(!existsSync(path(RAFT_POLICY_FILE)));
    rmSync(hook);
    assert.equal((await land(plan)).commits.length, 4);
  });

  it("takes its new file back when Git ignores it, with Git's words", async () => {
    writeFileSync(path(".git/info/exclude"), "*-raft.yaml\n");
    await assert.rejects(land(plan), { name: "LandRefusal", message: /ignored/ });
    assert.equal(git("status", "--porcelain", "--ignored"), "");
  });

  it("makes no branch when one of the files is not there or not understood", async () => {
    await assert.rejects(land({ ...plan, replicaFloor: "none.yaml" }), /none\.yaml: found no such file/);
    await assert.rejects(
      land({ ...plan, replicaFloor: RAFT_POLICY_FILE.replace("-raft", "") }),
      /no Kyverno policy \(it holds: NetworkPolicy default-deny/,
    );
    await assert.rejects(
      land({ ...plan, networkPolicy: { file: "k8s/none/x.yaml", objects } }),
      /no k8s\/none\/kust/,
    );
    assert.equal(git("branch", "--list", plan.branch), "");
  });
});
