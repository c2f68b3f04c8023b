import type { KubeObject } from "../../../components/cluster/kubeClient";
import { CLIENT_LABEL, LOAD_NAMESPACE } from "../../load/clientObjects";

/** Name of the stand-in's pod, and of all that belongs to it. */
export const OPERATOR = "external-secrets";
/** The ExternalSecret that the rehearsal names in the program's config. */
export const SAMPLE = { namespace: LOAD_NAMESPACE, name: "sample" };
/** KV v2 entry of mount `secret` that the sample reads; the client's token may write and read there. */
export const SAMPLE_KEY = "load/external-secret";
/** Role of Kubernetes auth that the operator's ServiceAccount logs in with. */
export const SAMPLE_ROLE = "external-secrets-sample";
/** What OpenBao is told of that role; `policy` may read the sample's entry. */
export const sampleRole = (policy: string) => ({
  bound_service_account_names: [OPERATOR],
  bound_service_account_namespaces: [LOAD_NAMESPACE],
  token_policies: [policy],
  token_ttl: "20m",
});

/** An object and the path of its collection. */
export type Placed = readonly [collection: string, object: KubeObject & Record<string, unknown>];

const SPACE = `namespaces/${LOAD_NAMESPACE}`;
const RBAC = "rbac.authorization.k8s.io";

/** Store and sample, as a user of the operator writes them. */
export function sampleObjects(): Placed[] {
  const group = `/apis/external-secrets.io/v1/${SPACE}`;
  return [
    [
      `${group}/secretstores`,
      {
        apiVersion: "external-secrets.io/v1",
        kind: "SecretStore",
        metadata: { name: "openbao" },
        spec: {
          provider: {
            vault: {
              // The plain Service has endpoints before and after the move; the active one exists with Raft only.
              server: "http://openbao.openbao.svc:8200",
              path: "secret",
              version: "v2",
              auth: {
                kubernetes: {
                  mountPath: "kubernetes",
                  role: SAMPLE_ROLE,
                  serviceAccountRef: { name: OPERATOR },
                },
              },
            },
          },
        },
      },
    ],
    [
      `${group}/externalsecrets`,
      {
        apiVersion: "external-secrets.io/v1",
        kind: "ExternalSecret",
        metadata: { name: SAMPLE.name },
        spec: {
          refreshInterval: "1h",
          secretStoreRef: { kind: "SecretStore", name: "openbao" },
          target: { name: SAMPLE.name },
          data: [{ secretKey: "value", remoteRef: { key: SAMPLE_KEY, property: "value" } }],
        },
      },
    ],
  ];
}

/** The stand-in's ServiceAccount with the rights that it uses. */
export function accountObjects(): Placed[] {
  const rule = (group: string, resources: string[], verbs: string[]) => ({
    apiGroups: [group],
    resources,
    verbs,
  });
  return [
    [
      `/api/v1/${SPACE}/serviceaccounts`,
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: OPERATOR } },
    ],
    [
      `/apis/${RBAC}/v1/${SPACE}/roles`,
      {
        apiVersion: `${RBAC}/v1`,
        kind: "Role",
        metadata: { name: OPERATOR },
        rules: [
          rule("", ["secrets"], ["get", "create", "patch"]),
          rule("external-secrets.io", ["externalsecrets", "secretstores"], ["get", "list"]),
          rule("external-secrets.io", ["externalsecrets/status"], ["patch"]),
        ],
      },
    ],
    [
      `/apis/${RBAC}/v1/${SPACE}/rolebindings`,
      {
        apiVersion: `${RBAC}/v1`,
        kind: "RoleBinding",
        metadata: { name: OPERATOR },
        roleRef: { apiGroup: RBAC, kind: "Role", name: OPERATOR },
        subjects: [{ kind: "ServiceAccount", name: OPERATOR, namespace: LOAD_NAMESPACE }],
      },
    ],
  ];
}

/** @param parts ConfigMaps that hold the program; @param image one with a shell, cat, gunzip and chmod. */
export function operatorPod(parts: readonly string[], image: string): Placed {
  const unpack = `cat /parts/* | gunzip > /tmp/${OPERATOR} && chmod 0755 /tmp/${OPERATOR} && exec /tmp/${OPERATOR}`;
  return [
    `/api/v1/${SPACE}/pods`,
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: OPERATOR, labels: { ...CLIENT_LABEL, app: OPERATOR } },
      spec: {
        serviceAccountName: OPERATOR,
        terminationGracePeriodSeconds: 1,
        securityContext: { runAsNonRoot: true, runAsUser: 100, runAsGroup: 1000, fsGroup: 1000 },
        containers: [
          {
            name: OPERATOR,
            image,
            imagePullPolicy: "IfNotPresent",
            command: ["/bin/sh", "-ec", unpack],
            resources: { requests: { cpu: "10m", memory: "32Mi" } },
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
            volumeMounts: [
              { name: "parts", mountPath: "/parts", readOnly: true },
              { name: "tmp", mountPath: "/tmp" },
            ],
          },
        ],
        volumes: [
          { name: "parts", projected: { sources: parts.map((name) => ({ configMap: { name } })) } },
          { name: "tmp", emptyDir: {} },
        ],
      },
    },
  ];
}
