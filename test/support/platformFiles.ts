/** The HelmRelease file of the reference platform, before its move (facts: environment.md section 4). */
export const HELM_RELEASE = `---
# yaml-language-server: $schema=https://example.org/helmrelease.json
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: openbao
  namespace: openbao
  labels:
    helm.toolkit.fluxcd.io/remediation: enabled
spec:
  interval: 2m
  timeout: 10m
  chart:
    spec: {chart: openbao, version: "0.28.3", sourceRef: {kind: HelmRepository, name: openbao}}
  values:
    injector:
      enabled: false   # three spaces
    ui: { enabled: true }
    server:
      enabled: true
      replicas: \${openbao_replicas:=1}

      readinessProbe:
        enabled: true
        path: '/v1/sys/health?standbyok=true&sealedcode=204&uninitcode=204'
      postStart:
      - /bin/sh
      - -c
      - |
        sleep 5
        exit 0
      dataStorage: &storage
        enabled: true
        size: \${openbao_storage_size:=1Gi}
      auditStorage: *storage
      # One node, until the move.
      standalone:
        enabled: true # the flip
        config: |
          ui = true
          listener "tcp" {
            tls_disable = 1
            address = "0.0.0.0:8200"
          }
          storage "file" {
            path = "/openbao/data"
          }

      # last words
    csi:
      enabled: "-"
# the end
`;

/** The same after \`land\`. */
export const HELM_RELEASE_RAFT = HELM_RELEASE.replace(
  "enabled: true # the flip",
  "enabled: false # the flip",
).replace(
  `            path = "/openbao/data"
          }
`,
  `            path = "/openbao/data"
          }
      ha:
        enabled: true
        replicas: \${openbao_replicas:=1}
        raft:
          enabled: true
          setNodeId: true
          config: |
            ui = true
            listener "tcp" {
              tls_disable = 1
              address = "0.0.0.0:8200"
              cluster_address = "0.0.0.0:8201"
            }
            storage "raft" {
              path = "/openbao/data"
              retry_join {
                leader_api_addr = "http://openbao-0.openbao-internal:8200"
              }
              retry_join {
                leader_api_addr = "http://openbao-1.openbao-internal:8200"
              }
              retry_join {
                leader_api_addr = "http://openbao-2.openbao-internal:8200"
              }
            }

            service_registration "kubernetes" {}
`,
);

/** The variables ConfigMap of the cluster, before the move. */
export const VARIABLES = `apiVersion: v1
kind: ConfigMap
metadata:
  name: variables-cluster
  namespace: flux-system
data:
  domain: example.org # public
  openbao_replicas: "1" # nodes
  openbao_storage_size: 10Gi
`;
