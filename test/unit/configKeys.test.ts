import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { configSchema, parseConfig, plainConfig, PROJECT } from "../../config";
import { HELM_RIGHTS } from "../../components/gate/helmRights";
import { RIGHTS } from "../../components/gate/readAccess";
import { planSteps } from "../../components/steps/plan";

function project(name: string): string {
  return readFileSync(join(__dirname, "../..", name), "utf8");
}

/** First groups of all matches of `pattern`, sorted. */
function found(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1]!).sort();
}

const { config: declared } = parse(project("Pulumi.yaml")) as {
  config: Record<string, { description: string; default: unknown }>;
};

/** Pulumi keeps every value as text, objects as JSON. */
function asPulumiGives(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "number" ? "integer" : typeof value;
}

describe("described config and steps", () => {
  const keys = Object.keys(configSchema.shape).sort();

  it("Pulumi.yaml declares each config key and no other, each with its type and a description", () => {
    assert.deepEqual(Object.keys(declared).sort(), keys);
    for (const [key, { description }] of Object.entries(declared))
      assert.match(description, /^(string|integer|boolean|array|object)(, needed[^:]*)?: \S/, key);
  });

  it("Pulumi.yaml's types and defaults are those of the schema", () => {
    const filled = Object.fromEntries(
      Object.entries(declared).map(([key, { default: value }]) => [
        `${PROJECT}:${key}`,
        asPulumiGives(value),
      ]),
    );
    const own = parseConfig({ ...plainConfig(filled), stage: "network" });
    assert.deepEqual(own, parseConfig({ stage: "network" }));
    for (const [key, { description, default: value }] of Object.entries(declared))
      assert.equal(typeOf(value), description.split(/[,:]/)[0], key);
  });

  it("README's config table has each config key, and no other", () => {
    const config = project("README.md").split("\n## Config\n")[1]?.split("\n## ")[0] ?? "";
    assert.deepEqual(found(config, /^\| `(\w+)`/gm), keys);
  });

  it("README's table of rights is what the gate asks for (F59)", () => {
    const table = project("README.md").split("\n## Rights that the steps use\n")[1]?.split("\n## ")[0] ?? "";
    const rows = [...table.matchAll(/^\| `(\w+)` +\| `(\S+)` +\| ([a-z ]+?) +\|$/gm)];
    const told = rows.flatMap(([, stage, what, verbs]) =>
      verbs!.split(" ").map((verb) => `${stage} ${verb} ${what}`),
    );
    const asked = RIGHTS.map(
      ({ stage, verb, resource, group, subresource }) =>
        `${stage} ${verb} ${resource}${group && `.${group}`}${subresource === undefined ? "" : `/${subresource}`}`,
    );
    assert.deepEqual(told.sort(), asked.sort());
  });

  it("docs/helm.md's table of rights is what the gate asks for with delivery helm (F59)", () => {
    const rows = [...project("docs/helm.md").matchAll(/^\| `(\w+)` +\| `(\S+)` +\| ([a-z ]+?) +\|$/gm)];
    const told = rows.flatMap(([, stage, what, verbs]) =>
      verbs!.split(" ").map((verb) => `${stage} ${verb} ${what}`),
    );
    const asked = HELM_RIGHTS.map(
      ({ stage, verb, resource, group }) => `${stage} ${verb} ${resource}${group && `.${group}`}`,
    );
    assert.deepEqual(told.sort(), asked.sort());
  });

  it("docs/steps.md has each step of the plan in its order, with its hazards", () => {
    const rows = [...project("docs/steps.md").matchAll(/^\| `([-\w]+)`.*\| ([A-Z0-9 ]+?) +\|$/gm)];
    const plan = planSteps("openbao", 2).map(({ id, hazards }) => [
      id.startsWith("follower-") ? "follower-N" : id,
      hazards.join(" "),
    ]);
    assert.deepEqual(
      rows.map((row) => [row[1], row[2]]),
      plan,
    );
  });
});
