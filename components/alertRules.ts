/** What the rules are made for. */
export interface AlertRuleOptions {
  readonly namespace: string;
  /** HelmRelease, and so the prefix of pods and claims; a DNS label, so that it needs no escaping in an expression. */
  readonly release: string;
  /** Raft nodes at the end. */
  readonly replicas: number;
}

/** One alerting rule of a PrometheusRule. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: "critical" | "warning" };
  readonly annotations: { readonly summary: string; readonly description: string };
}

/** Pure: the spec of the PrometheusRule. Names of metrics as OpenBao 2.4.0 shows them at sys/metrics. */
export function alertRules(options: AlertRuleOptions): { groups: { name: string; rules: AlertRule[] }[] } {
  const groups = [
    { name: "openbao-volumes", rules: volumeRules(options) },
    { name: "openbao-raft", rules: serverRules(options) },
  ];
  return { groups };
}

/** A full audit volume blocks every request while health stays 200 (hazard I34); a full data volume every write (F34). */
function volumeRules({ namespace, release }: AlertRuleOptions): AlertRule[] {
  const claims = `{namespace="${namespace}",persistentvolumeclaim=~"(data|audit)-${release}-[0-9]+"}`;
  const free = `kubelet_volume_stats_available_bytes${claims} / kubelet_volume_stats_capacity_bytes${claims}`;
  const volume = "{{ $labels.persistentvolumeclaim }}";
  return [
    rule("OpenBaoVolumeFilling", `${free} < 0.25`, "15m", "warning", {
      summary: `less than a quarter of ${volume} is free`,
      description: "Make the volume larger or move old audit logs away before it is full.",
    }),
    rule("OpenBaoVolumeNearlyFull", `${free} < 0.1`, "5m", "critical", {
      summary: `less than a tenth of ${volume} is free`,
      description: "A full audit volume stops every request of its node, a full data volume every write.",
    }),
  ];
}

/**
 * Once unsealed, a server goes on showing its sealed gauge under another `cluster` label, and a node that led keeps its
 * last autopilot gauges (seen on 2.4.0): so the greatest value of a pod counts, and autopilot's word on the leader only.
 */
function serverRules({ namespace, release, replicas }: AlertRuleOptions): AlertRule[] {
  const pods = `{namespace="${namespace}",pod=~"${release}-[0-9]+"}`;
  const leader = `(max by (namespace, pod) (vault_core_active${pods}) == 1)`;
  const onLeader = (metric: string): string =>
    `max by (namespace) (${metric}${pods} and on (namespace, pod) ${leader})`;
  return [
    rule("OpenBaoSealed", `max by (namespace, pod) (vault_core_unsealed${pods}) == 0`, "5m", "critical", {
      summary: "{{ $labels.pod }} is sealed",
      description: "Unseal it with the stored key. Never initialise it: the store has its keys.",
    }),
    rule("OpenBaoNoLeader", `max by (namespace) (vault_core_active${pods}) == 0`, "1m", "critical", {
      summary: "OpenBao has no active node",
      description: "Look for lost voters, and for 8200 and 8201 between the server's pods.",
    }),
    rule("OpenBaoVoterUnhealthy", `${onLeader("vault_autopilot_healthy")} == 0`, "5m", "warning", {
      summary: "autopilot finds a Raft node unhealthy",
      description: "bao operator raft autopilot state names it. One more loss can cost the quorum.",
    }),
    rule("OpenBaoVoterLost", `${onLeader("vault_raft_peers")} < ${replicas}`, "5m", "critical", {
      summary: `fewer than ${replicas} nodes are in the Raft configuration`,
      description: "bao operator raft list-peers shows who is left; the lost pod joins again by itself.",
    }),
    rule("OpenBaoMetricsAbsent", `absent(vault_core_unsealed${pods})`, "15m", "warning", {
      summary: "no metrics of OpenBao arrive, so that the alerts above are blind",
      description: "They need the telemetry stanza and a ServiceMonitor or PodMonitor for sys/metrics.",
    }),
  ];
}

function rule(
  alert: string,
  expr: string,
  duration: string,
  severity: "critical" | "warning",
  annotations: AlertRule["annotations"],
): AlertRule {
  return { alert, expr, for: duration, labels: { severity }, annotations };
}
