import assert from "node:assert/strict";
import { alertRules } from "../../components/alertRules";
import { alertChecks } from "../../components/gate/alertChecks";
import { configOf, standaloneWorld } from "../support/snapshotBuilder";

const rules = alertRules({ namespace: "vault", release: "bao", replicas: 5 }).groups.flatMap(
  (group) => group.rules,
);
const expr = (alert: string): string => rules.find((one) => one.alert === alert)!.expr;

describe("the PrometheusRule of stage verify", () => {
  it("watches data and audit volumes of every node (I34, F34, F35)", () => {
    const claims = '{namespace="vault",persistentvolumeclaim=~"(data|audit)-bao-[0-9]+"}';
    assert.equal(
      expr("OpenBaoVolumeNearlyFull"),
      `kubelet_volume_stats_available_bytes${claims} / kubelet_volume_stats_capacity_bytes${claims} < 0.1`,
    );
  });

  it("takes the greatest gauge of a pod for sealed: an unsealed 2.4.0 still shows its old 0", () => {
    assert.equal(
      expr("OpenBaoSealed"),
      'max by (namespace, pod) (vault_core_unsealed{namespace="vault",pod=~"bao-[0-9]+"}) == 0',
    );
  });

  it("takes the voters from the leader only, and counts the replicas of the config", () => {
    const pods = '{namespace="vault",pod=~"bao-[0-9]+"}';
    assert.equal(
      expr("OpenBaoVoterLost"),
      `max by (namespace) (vault_raft_peers${pods} and on (namespace, pod) (max by (namespace, pod) (vault_core_active${pods}) == 1)) < 5`,
    );
  });

  it("has one alert each for sealed, leaderless, lost voter and blind, all in the namespace", () => {
    assert.deepEqual(
      rules.map(({ alert }) => alert),
      [
        "OpenBaoVolumeFilling",
        "OpenBaoVolumeNearlyFull",
        "OpenBaoSealed",
        "OpenBaoNoLeader",
        "OpenBaoVoterUnhealthy",
        "OpenBaoVoterLost",
        "OpenBaoMetricsAbsent",
      ],
    );
    for (const rule of rules) {
      assert.ok(rule.expr.includes('namespace="vault"'), rule.alert);
      assert.match(rule.for, /^\d+m$/);
      assert.ok(rule.annotations.summary !== "" && rule.annotations.description !== "");
    }
  });
});

describe("gate check alert-rules", () => {
  const judge = async (enabled: boolean, served: boolean) => {
    const world = standaloneWorld();
    if (served) world.kube.serve("/apis/monitoring.coreos.com/v1/namespaces/openbao/prometheusrules");
    const config = configOf({ alerts: { enabled } });
    return alertChecks[0]!.judge(await world.snapshot(config), config).verdict;
  };

  it("passes where the kind is served, and is silent when alerts are off", async () => {
    assert.equal(await judge(true, true), "pass");
    assert.equal(await judge(true, false), "fail");
    assert.equal(await judge(false, false), "not-applicable");
  });
});
