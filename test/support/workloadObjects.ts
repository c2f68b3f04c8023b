export const LABELS = {
  "app.kubernetes.io/name": "openbao",
  "app.kubernetes.io/instance": "openbao",
  component: "server",
};

/** A schedulable node that holds the server's image. */
export function node(n: number): Record<string, unknown> {
  return {
    metadata: { labels: { "kubernetes.io/hostname": `node-${n}` } },
    status: {
      conditions: [{ type: "Ready", status: "True" }],
      images: [{ names: ["quay.io/openbao/openbao:2.4.0"] }],
    },
  };
}

/** The StatefulSet as the chart renders it, all replicas ready. */
export function statefulSet(replicas: number): Record<string, unknown> {
  return {
    spec: {
      replicas,
      serviceName: "openbao-internal",
      podManagementPolicy: "OrderedReady",
      updateStrategy: { type: "OnDelete" },
      selector: { matchLabels: LABELS },
      volumeClaimTemplates: [
        { metadata: { name: "data" }, spec: { resources: { requests: { storage: "10Gi" } } } },
        { metadata: { name: "audit" }, spec: { resources: { requests: { storage: "1Gi" } } } },
      ],
      template: {
        metadata: { labels: LABELS },
        spec: {
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "kubernetes.io/hostname" }],
            },
          },
          containers: [
            {
              name: "openbao",
              image: "quay.io/openbao/openbao:2.4.0",
              readinessProbe: {
                httpGet: { path: "/v1/sys/health?standbyok=true&sealedcode=204&uninitcode=204" },
              },
            },
          ],
        },
      },
    },
    status: { readyReplicas: replicas, currentRevision: "rev-1", updateRevision: "rev-1" },
  };
}
