import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { configSchema, STAGES } from "../../config";
import { BackupStage } from "../../components/stages/backupStage";
import { CutoverStage } from "../../components/stages/cutoverStage";
import { LandStage } from "../../components/stages/landStage";
import { NetworkStage } from "../../components/stages/networkStage";
import { ReplicasStage } from "../../components/stages/replicasStage";
import { VerifyStage } from "../../components/stages/verifyStage";
import { stepsOf } from "../../components/steps/plan";
import { STEP_INPUT } from "../../components/steps/stepInput";
import { recordResources, type Recorded } from "../support/recordResources";

const config = configSchema.parse({
  stage: "land",
  git: { checkout: "/platform", helmRelease: "hr.yaml" },
});
const COMMAND = "command:local:Command";
const PLAN = stepsOf(config).filter(({ stage }) => (STAGES as readonly string[]).includes(stage));

/** All stages, each after the one before, as index.ts makes them. */
function build(applied = false): void {
  const args = { config };
  let previous: pulumi.Resource[] = [];
  const stage = (make: (opts: pulumi.ComponentResourceOptions) => pulumi.Resource): void => {
    previous = [make({ dependsOn: previous })];
  };
  stage(
    (o) => new NetworkStage("network", { ...args, restricted: { kubernetes: ["Ingress"], cilium: [] } }, o),
  );
  stage((o) => new BackupStage("backup", args, o));
  stage(
    (o) => new CutoverStage("cutover", { ...args, raftConfig: "hcl", maxEntryBytes: 1048576, applied }, o),
  );
  stage((o) => new ReplicasStage("replicas", args, o));
  stage((o) => new VerifyStage("verify", { ...args, rulesServed: false }, o));
  stage((o) => new LandStage("land", { ...args, chart: "openbao 0.29.2" }, o));
}

const commands = (seen: readonly Recorded[]) => seen.filter(({ type }) => type === COMMAND);
const nameOf = (record: (typeof PLAN)[number]) => `${record.stage}-${record.id}`;

/**
 * Urns that a resource waits for, through its parents and what those wait for: a child is registered after its parent,
 * and a parent after all that it depends on is made.
 */
function waitsFor(seen: readonly Recorded[], one: Recorded): Set<string> {
  const byUrn = new Map(seen.map((each) => [each.urn, each]));
  const found = new Set<string>();
  const todo = [one];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const above = byUrn.get(next.parent);
    if (above !== undefined) todo.push(above);
    for (const urn of next.dependsOn) {
      if (found.has(urn)) continue;
      found.add(urn);
      const target = byUrn.get(urn);
      if (target !== undefined) todo.push(target);
    }
  }
  return found;
}

for (const preview of [true, false]) {
  describe(`the stages, as resources (${preview ? "preview" : "update"})`, () => {
    let seen: Recorded[];
    before(async () => {
      seen = await recordResources(preview, () => build());
    });

    it("are one Command a step of the plan, and nothing else but the policy and the two values layers", async () => {
      assert.deepEqual(
        commands(seen)
          .map(({ name }) => name)
          .sort(),
        PLAN.map(nameOf).sort(),
      );
      const others = seen
        .filter(({ type }) => type !== COMMAND && !type.startsWith("openbao-migration:"))
        .map(({ type, name }) => `${type} ${name}`);
      assert.deepEqual(others.sort(), [
        "kubernetes:helm.toolkit.fluxcd.io/v2:HelmReleasePatch cutover-release",
        "kubernetes:helm.toolkit.fluxcd.io/v2:HelmReleasePatch replicas-count",
        "kubernetes:networking.k8s.io/v1:NetworkPolicy network-policy",
      ]);
    });

    it("let each Command wait for every Command before it: the plan's order is the only one (F52)", async () => {
      const urns = new Map(commands(seen).map(({ name, urn }) => [name, urn]));
      for (const [at, record] of PLAN.entries()) {
        const waits = waitsFor(
          seen,
          commands(seen).find(({ name }) => name === nameOf(record))!,
        );
        const missing = PLAN.slice(0, at)
          .map(nameOf)
          .filter((name) => !waits.has(urns.get(name)!));
        assert.deepEqual(missing, [], nameOf(record));
      }
    });

    it("flip and apply-replicas wait for the values layers, and these for what comes before", async () => {
      for (const [layer, before, after] of [
        ["cutover-release", "cutover-carry", "cutover-flip"],
        ["replicas-count", "replicas-follower-2", "replicas-apply-replicas"],
      ] as const) {
        const at = (name: string) =>
          seen.find((one) => one.name === name && !one.type.startsWith("openbao-"))!;
        assert.equal(waitsFor(seen, at(layer)).has(at(before).urn), true, layer);
        assert.equal(waitsFor(seen, at(after)).has(at(layer).urn), true, after);
      }
    });

    it("give each Command exactly the inputs of a one-time step: no triggers, no update, no delete", async () => {
      for (const { name, inputs } of commands(seen)) {
        assert.deepEqual(
          Object.keys(inputs).sort(),
          ["addPreviousOutputInEnv", "create", "environment", "interpreter", "logging"],
          name,
        );
        assert.deepEqual(inputs["interpreter"], ["node", "components/steps/launch.mjs"]);
        assert.equal(inputs["addPreviousOutputInEnv"], false);
        const environment = inputs["environment"] as Record<string, string>;
        assert.deepEqual(Object.keys(environment).sort(), ["OPENBAO_MIGRATION_SCRIPT_SHA256", STEP_INPUT]);
        assert.match(environment["OPENBAO_MIGRATION_SCRIPT_SHA256"] ?? "", /^[0-9a-f]{64}$/);
      }
    });

    it("run the step's own script with the step's own name; only land is told of the checkout", async () => {
      for (const record of PLAN) {
        const { inputs } = commands(seen).find(({ name }) => name === nameOf(record))!;
        assert.equal(inputs["create"], `components/steps/scripts/${record.script}.ts`);
        const input = JSON.parse((inputs["environment"] as Record<string, string>)[STEP_INPUT]!) as object;
        assert.equal((input as { step: string }).step, record.id);
        assert.equal("git" in input, record.stage === "land", record.id);
        assert.equal("maxEntryBytes" in input, ["stop", "carry"].includes(record.id), record.id);
      }
    });

    it("keep the output of every step that touches a key out of log and state", async () => {
      assert.ok(PLAN.filter(({ touchesKey }) => touchesKey).length >= 8);
      for (const record of PLAN) {
        const { inputs, secretOutputs } = commands(seen).find(({ name }) => name === nameOf(record))!;
        assert.deepEqual(secretOutputs, record.touchesKey ? ["stdout", "stderr"] : [], record.id);
        assert.equal(inputs["logging"], record.touchesKey ? "stderr" : "stdoutAndStderr", record.id);
      }
    });

    it("outlive the stack where removal would go back to old data, cost the quorum or cut the nodes off (a rollback drops all)", async () => {
      const kept = seen.filter(({ retainOnDelete }) => retainOnDelete).map(({ name }) => name);
      assert.deepEqual(kept.sort(), ["cutover-release", "network-policy", "replicas-count"]);
    });

    it("hang below their stage, and no resource is an orphan", async () => {
      const urns = new Map(seen.map(({ urn, name }) => [urn, name]));
      for (const { name, parent, type } of seen) {
        if (/:(Network|Backup|Cutover|Replicas|Verify|Land)Stage$/.test(type)) continue;
        const stage = PLAN.find((record) => nameOf(record) === name)?.stage ?? name.split("-")[0];
        const above = urns.get(parent) ?? "nobody";
        assert.equal(above === name || above === stage, true, `${name} below ${above}`);
      }
    });
  });
}

describe("the values layer of the cutover", () => {
  const layer = async (applied: boolean) =>
    (await recordResources(true, () => build(applied))).find(
      ({ name, type }) => name === "cutover-release" && type.startsWith("kubernetes:"),
    )!;

  it("is not written again once the release is on Raft: what Git says counts from then on", async () => {
    assert.deepEqual((await layer(true)).ignoreChanges, ["spec", "metadata"]);
    assert.deepEqual((await layer(false)).ignoreChanges, []);
  });
});
