import { COREDNS_IMAGE } from "./imageSpecs";
import { CLUSTER_DOMAIN, DNS_ADDRESS, SMALL_STORAGE_CLASS } from "./layout";

/** An object and the path at which it is applied. */
export interface BootstrapObject {
  readonly path: string;
  readonly object: object;
}

/** As kubeadm's: answers of the cluster domain are not cached, so a rolled pod's name is right at once. */
const COREFILE = `.:53 {
    errors
    health {
        lameduck 1s
    }
    ready
    kubernetes ${CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    cache 30 {
        disable success ${CLUSTER_DOMAIN}
        disable denial ${CLUSTER_DOMAIN}
    }
}
`;

const LABELS = { "k8s-app": "kube-dns" };
const STORAGE_CLASSES = "/apis/storage.k8s.io/v1/storageclasses";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const SYSTEM = "kube-system";

/** Everything that a fresh cluster gets: DNS and the default StorageClass. */
export function bootstrapObjects(): BootstrapObject[] {
  return [
    inSystem("/api/v1", "serviceaccounts", {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: meta("coredns"),
    }),
    { path: `${RBAC}/clusterroles/system:coredns`, object: clusterRole() },
    { path: `${RBAC}/clusterrolebindings/system:coredns`, object: clusterRoleBinding() },
    inSystem("/api/v1", "configmaps", {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: meta("coredns"),
      data: { Corefile: COREFILE },
    }),
    inSystem("/apis/apps/v1", "deployments", deployment()),
    inSystem("/api/v1", "services", service()),
    { path: `${STORAGE_CLASSES}/rehearsal-local`, object: storageClass() },
    { path: `${STORAGE_CLASSES}/${SMALL_STORAGE_CLASS}`, object: smallStorageClass() },
  ];
}

function meta(name: string) {
  return { name, namespace: SYSTEM, labels: LABELS };
}

function inSystem<T extends { metadata: { name: string } }>(
  group: string,
  plural: string,
  object: T,
): BootstrapObject {
  return { path: `${group}/namespaces/${SYSTEM}/${plural}/${object.metadata.name}`, object };
}

function clusterRole(): object {
  const read = ["list", "watch"];
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "system:coredns" },
    rules: [
      { apiGroups: [""], resources: ["endpoints", "services", "pods", "namespaces"], verbs: read },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: read },
    ],
  };
}

function clusterRoleBinding(): object {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "system:coredns" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:coredns" },
    subjects: [{ kind: "ServiceAccount", name: "coredns", namespace: SYSTEM }],
  };
}

function deployment() {
  const container = {
    name: "coredns",
    image: COREDNS_IMAGE,
    imagePullPolicy: "IfNotPresent",
    args: ["-conf", "/etc/coredns/Corefile"],
    ports: [
      { name: "dns", containerPort: 53, protocol: "UDP" },
      { name: "dns-tcp", containerPort: 53, protocol: "TCP" },
    ],
    readinessProbe: { httpGet: { path: "/ready", port: 8181 }, periodSeconds: 2 },
    resources: { requests: { cpu: "20m", memory: "30Mi" } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] },
      readOnlyRootFilesystem: true,
    },
    volumeMounts: [{ name: "config", mountPath: "/etc/coredns", readOnly: true }],
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: meta("coredns"),
    spec: {
      replicas: 1,
      selector: { matchLabels: LABELS },
      template: {
        metadata: { labels: LABELS },
        spec: {
          serviceAccountName: "coredns",
          priorityClassName: "system-cluster-critical",
          dnsPolicy: "Default",
          terminationGracePeriodSeconds: 5,
          tolerations: [{ operator: "Exists" }],
          containers: [container],
          volumes: [{ name: "config", configMap: { name: "coredns" } }],
        },
      },
    },
  };
}

function service() {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: meta("kube-dns"),
    spec: {
      clusterIP: DNS_ADDRESS,
      selector: LABELS,
      ports: [
        { name: "dns", port: 53, protocol: "UDP", targetPort: 53 },
        { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 53 },
      ],
    },
  };
}

function storageClass(): object {
  return {
    ...classOf("rehearsal-local"),
    metadata: {
      name: "rehearsal-local",
      annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
    },
  };
}

/** Volumes that a fault can fill without filling the machine's disk: file systems of their own, in memory. */
function smallStorageClass(): object {
  return { ...classOf(SMALL_STORAGE_CLASS), parameters: { memory: "192Mi" } };
}

function classOf(name: string): object {
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name },
    provisioner: "rehearsal/local-path",
    reclaimPolicy: "Delete",
    volumeBindingMode: "WaitForFirstConsumer",
  };
}
