import assert from "node:assert/strict";
import { parseConfig } from "../../config";
import { optionalRights } from "../../components/gate/optionalRights";
import { rightName } from "../../components/gate/readAccess";
import { planSteps, stepsOf } from "../../components/steps/plan";
import { stepInput } from "../../components/steps/stepInput";
import { FakeKube } from "../support/fakeKube";
import { RESEED } from "../support/carryHazards";
import { configOf } from "../support/snapshotBuilder";

const TALOS = { talos: { nodeSubnets: ["10.0.0.0/24"], nodes: ["10.0.0.1"] } };
const SAMPLE = { externalSecrets: [{ namespace: "apps", name: "db" }] };

function afterOf(values: object, id: string): readonly string[] | undefined {
  return stepsOf(configOf({ ...values })).find((step) => step.id === id)?.after;
}

describe("steps that only some configs ask for", () => {
  it("are left out with the config's defaults, and nothing waits for them", () => {
    const ids = stepsOf(configOf()).map(({ id }) => id);
    assert.deepEqual(
      planSteps("openbao", 3)
        .map(({ id }) => id)
        .filter((id) => !ids.includes(id)),
      ["talos-firewall", "external-secrets", "git-keys-land"],
    );
    assert.deepEqual(afterOf({}, "services"), ["failover-drill"]);
  });

  it("leave no gap: what waited for one waits for what that one waited for", () => {
    assert.deepEqual(afterOf(RESEED, "unseal-0"), ["init"]);
    const git = { checkout: ".", helmRelease: "a.yaml", keySecret: "unseal.yaml" };
    assert.deepEqual(afterOf({ ...RESEED, git }, "unseal-0"), ["git-keys"]);
    assert.deepEqual(afterOf({ ...RESEED, git }, "git-keys"), ["init"]);
    assert.deepEqual(afterOf({ git }, "land-git"), ["git-keys-land"]);
  });

  it("come before what they stand in front of", () => {
    assert.ok(afterOf(TALOS, "network-probe")?.includes("talos-firewall"));
    assert.ok(afterOf(SAMPLE, "services")?.includes("external-secrets"));
  });

  it("need nodes: subnets alone are for the checkout only", () => {
    const config = { talos: { nodeSubnets: ["10.0.0.0/24"] } };
    assert.equal(afterOf(config, "talos-firewall"), undefined);
  });

  it("alone get their values, so that no other step runs again for them", () => {
    const config = configOf({ ...TALOS, ...SAMPLE });
    const plain = stepInput("services", configOf(), "verify");
    assert.deepEqual(stepInput("services", config, "verify"), plain);
    assert.deepEqual(stepInput("talos-firewall", config, "network").talos, config.talos);
    assert.deepEqual(stepInput("external-secrets", config, "verify").externalSecrets, config.externalSecrets);
  });
});

describe("rights that only some clusters and configs need (F59)", () => {
  const named = async (kube: FakeKube, values: object) =>
    (await optionalRights(kube, configOf({ ...values }))).map(
      (right) => `${right.stage}: ${rightName(right)}${right.namespace ? ` in ${right.namespace}` : ""}`,
    );

  it("are none with the defaults", async () => {
    assert.deepEqual(await named(new FakeKube(), {}), []);
  });

  it("are asked for by what is there and what is configured", async () => {
    const kube = new FakeKube().serve("/apis/cilium.io/v2/namespaces/openbao/ciliumnetworkpolicies");
    const values = { ...SAMPLE, alerts: { enabled: true }, tls: { caSecret: "ca" } };
    assert.deepEqual(await named(kube, values), [
      "network: get secrets",
      ...["get", "create", "patch"].map((verb) => `network: ${verb} ciliumnetworkpolicies.cilium.io`),
      ...["get", "patch"].map((verb) => `verify: ${verb} externalsecrets.external-secrets.io in apps`),
      ...["get", "create", "patch"].map((verb) => `verify: ${verb} prometheusrules.monitoring.coreos.com`),
    ]);
  });
});

describe("config of the platform's parts", () => {
  const faults = (values: object): string[] => {
    const result = parseConfig({ stage: "network", ...values });
    return result.ok ? [] : result.findings.map(({ key }) => key.replace("openbao-migration:", ""));
  };

  it("takes subnets of both families, and writes IPv6 as Talos shows it", () => {
    const { talos } = configOf({ talos: { nodeSubnets: ["10.0.0.0/24", "FD00:0:0::/064"] } });
    assert.deepEqual(talos?.nodeSubnets, ["10.0.0.0/24", "fd00::/64"]);
  });

  it("names each value that is no subnet, no node or no name", () => {
    assert.deepEqual(
      faults({ talos: { nodeSubnets: ["10.0.0.0/33", "x", "10.0.0.1"], nodes: ["--help"] } }),
      ["talos.nodeSubnets[0]", "talos.nodeSubnets[1]", "talos.nodeSubnets[2]", "talos.nodes[0]"],
    );
    assert.deepEqual(faults({ externalSecrets: [{ namespace: "../x", name: "A" }] }), [
      "externalSecrets[0].namespace",
      "externalSecrets[0].name",
    ]);
    assert.deepEqual(faults({ tls: { caSecret: "ca", serverName: "10.0.0.1", caFile: "ca.crt" } }), [
      "tls.serverName",
      "tls.caFile",
    ]);
  });

  it("asks for the subnets when a file for the rule is named", () => {
    const git = { checkout: ".", helmRelease: "a.yaml", talosPatch: "talos.yaml" };
    assert.deepEqual(faults({ git }), ["talos"]);
  });
});
