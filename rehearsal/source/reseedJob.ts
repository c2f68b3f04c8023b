import type { KubeClient, KubeObject } from "../../components/cluster/kubeClient";
import { OPERATOR, SAMPLE_KEY, SAMPLE_ROLE } from "../standins/externalSecrets/objects";
import { LOAD_NAMESPACE } from "../load/clientObjects";
import { SOURCE_NAMESPACE } from "./sourceCluster";

/**
 * A CronJob as platforms have it: it configures OpenBao with the root token from the key Secret, and the login of the
 * External Secrets operator with it.
 */
export const RESEED_JOB = "vault-config";
/** What it makes anew: the entry's path in the inventory, and where it is read. */
export const REBUILT = { path: "secret/app/rebuilt", read: "secret/data/app/rebuilt" };

const SCRIPT = `set -eu
BAO_TOKEN="$(cat /keys/root-token)"
export BAO_TOKEN
bao secrets list -format=json | grep -q '"secret/"' || bao secrets enable -path=secret -version=2 kv
bao kv put -mount=secret app/rebuilt made=anew > /dev/null
bao kv put -mount=secret ${SAMPLE_KEY} value=anew > /dev/null
bao auth list -format=json | grep -q '"kubernetes/"' || bao auth enable kubernetes
bao write auth/kubernetes/config kubernetes_host=https://kubernetes.default.svc
printf 'path "secret/data/${SAMPLE_KEY}" { capabilities = ["read"] }' | bao policy write sample -
bao write auth/kubernetes/role/${SAMPLE_ROLE} bound_service_account_names=${OPERATOR} \
  bound_service_account_namespaces=${LOAD_NAMESPACE} token_policies=sample token_ttl=20m
`;

/** Makes the CronJob, and lets its pods reach OpenBao: the namespace denies by default. */
export async function installReseedJob(kube: KubeClient): Promise<void> {
  const labels = { app: RESEED_JOB, "openbao-client": "true" };
  await kube.create<KubeObject>(`/apis/networking.k8s.io/v1/namespaces/${SOURCE_NAMESPACE}/networkpolicies`, {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: RESEED_JOB },
    spec: {
      podSelector: { matchLabels: { app: RESEED_JOB } },
      policyTypes: ["Egress"],
      egress: [{ ports: [{ port: 8200, protocol: "TCP" }] }],
    },
  } as KubeObject);
  await kube.create<KubeObject>(`/apis/batch/v1/namespaces/${SOURCE_NAMESPACE}/cronjobs`, {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: RESEED_JOB },
    spec: {
      // Once a year: it runs when it is asked to.
      schedule: "0 0 1 1 *",
      concurrencyPolicy: "Forbid",
      jobTemplate: { spec: { backoffLimit: 10, template: { metadata: { labels }, spec: podSpec() } } },
    },
  } as KubeObject);
}

function podSpec(): object {
  return {
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    securityContext: { runAsUser: 100, runAsGroup: 1000, runAsNonRoot: true },
    containers: [
      {
        name: RESEED_JOB,
        image: "quay.io/openbao/openbao:2.4.0",
        imagePullPolicy: "IfNotPresent",
        command: ["/bin/sh", "-c", SCRIPT],
        env: [{ name: "BAO_ADDR", value: `http://openbao-active.${SOURCE_NAMESPACE}.svc:8200` }],
        volumeMounts: [
          { name: "keys", mountPath: "/keys", readOnly: true },
          { name: "home", mountPath: "/home/openbao" },
        ],
      },
    ],
    volumes: [
      {
        name: "keys",
        secret: { secretName: "openbao-unseal", items: [{ key: "root-token", path: "root-token" }] },
      },
      { name: "home", emptyDir: {} },
    ],
  };
}
