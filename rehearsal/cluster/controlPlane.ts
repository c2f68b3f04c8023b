import { mkdirSync, writeFileSync } from "node:fs";
import { stringify } from "yaml";
import { toolPath } from "../tools/tools";
import { componentKubeconfig } from "./kubeconfigs";
import {
  API_PORT,
  auditLogPath,
  CLUSTER_DOMAIN,
  clusterDir,
  ETCD_CLIENT_URL,
  ETCD_PEER_URL,
  HOST_ADDRESS,
  SERVICE_CIDR,
} from "./layout";
import { pkiFile } from "./pki";
import type { ProcessSpec } from "./processes";

/** Controllers that nothing in a rehearsal uses; each would hold watches open. */
const CONTROLLERS_OFF = [
  "horizontal-pod-autoscaler-controller",
  "certificatesigningrequest-signing-controller",
  "certificatesigningrequest-approving-controller",
  "certificatesigningrequest-cleaner-controller",
  "node-ipam-controller",
  "replicationcontroller-controller",
  "resourcequota-controller",
  "storageversion-garbage-collector-controller",
  "validatingadmissionpolicy-status-controller",
  "volumeattributesclass-protection-controller",
];

/** Every request once, at Metadata level or, where the move writes, with its body: leak tests read this log. */
const AUDIT_POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    // What is written lies in the log for the leak scan, also what is gone by the end. Never a Secret's own body.
    {
      level: "Request",
      verbs: ["create", "update", "patch"],
      namespaces: ["openbao"],
      resources: [
        {
          group: "",
          resources: ["pods", "pods/*", "events", "configmaps", "services", "persistentvolumeclaims"],
        },
        { group: "batch" },
        { group: "apps" },
        { group: "events.k8s.io" },
        { group: "helm.toolkit.fluxcd.io" },
      ],
    },
    { level: "Metadata" },
  ],
};

/** Writes the files that the control plane reads. */
export function writeControlPlaneFiles(): void {
  mkdirSync(clusterDir("audit"), { recursive: true, mode: 0o700 });
  mkdirSync(clusterDir("etcd"), { recursive: true, mode: 0o700 });
  writeFileSync(clusterDir("audit-policy.yaml"), stringify(AUDIT_POLICY));
}

export function etcdSpec(): ProcessSpec {
  const flags = {
    name: "rehearsal",
    "data-dir": clusterDir("etcd"),
    "listen-client-urls": ETCD_CLIENT_URL,
    "advertise-client-urls": ETCD_CLIENT_URL,
    "listen-peer-urls": ETCD_PEER_URL,
    "initial-advertise-peer-urls": ETCD_PEER_URL,
    "initial-cluster": `rehearsal=${ETCD_PEER_URL}`,
    "cert-file": pkiFile("etcd.crt"),
    "key-file": pkiFile("etcd.key"),
    "trusted-ca-file": pkiFile("ca.crt"),
    "client-cert-auth": "true",
    // The cluster is thrown away: what a power cut would lose is not worth waiting for the disk.
    "unsafe-no-fsync": "true",
    // Its proxy would dial etcd with the server's certificate, which is none for clients.
    "enable-grpc-gateway": "false",
    "log-level": "warn",
  };
  return { name: "etcd", argv: [toolPath("etcd"), ...toArgs(flags)] };
}

export function apiServerSpec(): ProcessSpec {
  const flags = {
    "bind-address": HOST_ADDRESS,
    "advertise-address": HOST_ADDRESS,
    "secure-port": String(API_PORT),
    "etcd-servers": ETCD_CLIENT_URL,
    "etcd-cafile": pkiFile("ca.crt"),
    "etcd-certfile": pkiFile("apiserver-etcd-client.crt"),
    "etcd-keyfile": pkiFile("apiserver-etcd-client.key"),
    "tls-cert-file": pkiFile("apiserver.crt"),
    "tls-private-key-file": pkiFile("apiserver.key"),
    "client-ca-file": pkiFile("ca.crt"),
    "kubelet-certificate-authority": pkiFile("ca.crt"),
    "kubelet-client-certificate": pkiFile("apiserver-kubelet-client.crt"),
    "kubelet-client-key": pkiFile("apiserver-kubelet-client.key"),
    "kubelet-preferred-address-types": "InternalIP",
    "service-account-issuer": `https://kubernetes.default.svc.${CLUSTER_DOMAIN}`,
    "service-account-key-file": pkiFile("sa.pub"),
    "service-account-signing-key-file": pkiFile("sa.key"),
    "service-cluster-ip-range": SERVICE_CIDR,
    "authorization-mode": "Node,RBAC",
    "enable-admission-plugins": "NodeRestriction",
    "allow-privileged": "true",
    "audit-policy-file": clusterDir("audit-policy.yaml"),
    "audit-log-path": auditLogPath(),
    // Large enough never to be rotated in a run: a leak must not hide in a second file.
    "audit-log-maxsize": "4096",
    // Asks the watch cache for consistency, which etcd before 3.4.31 cannot give: it times out again and again.
    "feature-gates": "SizeBasedListCostEstimate=false",
    profiling: "false",
    v: "0",
  };
  return { name: "kube-apiserver", argv: [toolPath("kube-apiserver"), ...toArgs(flags)] };
}

export function controllerManagerSpec(): ProcessSpec {
  const flags = {
    kubeconfig: componentKubeconfig("kube-controller-manager"),
    "root-ca-file": pkiFile("ca.crt"),
    "service-account-private-key-file": pkiFile("sa.key"),
    "use-service-account-credentials": "true",
    controllers: ["*", ...CONTROLLERS_OFF.map((name) => `-${name}`)].join(","),
    // Its own default is a folder outside the cache, which it would make.
    "flex-volume-plugin-dir": clusterDir("volume-plugins"),
    "leader-elect": "false",
    "secure-port": "0",
    profiling: "false",
    v: "0",
  };
  return { name: "kube-controller-manager", argv: [toolPath("kube-controller-manager"), ...toArgs(flags)] };
}

export function schedulerSpec(): ProcessSpec {
  const flags = {
    kubeconfig: componentKubeconfig("kube-scheduler"),
    "leader-elect": "false",
    "secure-port": "0",
    profiling: "false",
    v: "0",
  };
  return { name: "kube-scheduler", argv: [toolPath("kube-scheduler"), ...toArgs(flags)] };
}

function toArgs(flags: Record<string, string>): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}
