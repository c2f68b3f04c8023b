import { hookView, type HookView } from "./readHook";
import { at, booleanAt, labelsAt, listAt, nameOf, numberAt, textAt, textsAt } from "./fields";
import { selectorTakes } from "./selector";

export interface TolerationView {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
}

export interface NodeTerm {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

export interface ClaimTemplateView {
  readonly name: string;
  readonly size: string;
  readonly storageClass?: string;
}

export interface StatefulSetView {
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly currentRevision: string;
  readonly updateRevision: string;
  readonly updateStrategy: string;
  readonly podManagementPolicy: string;
  readonly serviceName: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly podLabels: Readonly<Record<string, string>>;
  readonly claimTemplates: readonly ClaimTemplateView[];
  /** persistentVolumeClaimRetentionPolicy; "Retain" when not set. */
  readonly whenScaled: string;
  readonly whenDeleted: string;
  readonly image: string;
  readonly readiness: "none" | "http" | "exec" | "tcp";
  readonly readinessPath?: string;
  readonly hasLiveness: boolean;
  /** The server's postStart hook, when it waits. */
  readonly hook?: HookView;
  /** Topology keys of required pod anti-affinity between the servers; terms about other pods are left out. */
  readonly spreadKeys: readonly string[];
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** Required node affinity: one of the lists must hold as a whole. */
  readonly nodeTerms: readonly (readonly NodeTerm[])[];
  readonly tolerations: readonly TolerationView[];
  readonly setsNodeId: boolean;
  /** Annotations of the pod template by which evictors go. */
  readonly evictionMarks: Readonly<Record<string, string>>;
  readonly hostNetwork: boolean;
}

export function statefulSetView(object: unknown): StatefulSetView {
  const spec = at(object, "spec");
  const pod = at(spec, "template", "spec");
  const containers = listAt(pod, "containers");
  const server = containers.find((one) => textAt(one, "name") === "openbao") ?? containers[0];
  const probe = at(server, "readinessProbe");
  const labels = labelsAt(spec, "template", "metadata", "labels");
  return {
    replicas: numberAt(spec, "replicas") ?? 1,
    readyReplicas: numberAt(object, "status", "readyReplicas") ?? 0,
    currentRevision: textAt(object, "status", "currentRevision") ?? "",
    updateRevision: textAt(object, "status", "updateRevision") ?? "",
    updateStrategy: textAt(spec, "updateStrategy", "type") ?? "RollingUpdate",
    podManagementPolicy: textAt(spec, "podManagementPolicy") ?? "OrderedReady",
    serviceName: textAt(spec, "serviceName") ?? "",
    selector: labelsAt(spec, "selector", "matchLabels"),
    podLabels: labels,
    claimTemplates: listAt(spec, "volumeClaimTemplates").map((template) => ({
      name: nameOf(template),
      size: textAt(template, "spec", "resources", "requests", "storage") ?? "",
      storageClass: textAt(template, "spec", "storageClassName"),
    })),
    whenScaled: textAt(spec, "persistentVolumeClaimRetentionPolicy", "whenScaled") ?? "Retain",
    whenDeleted: textAt(spec, "persistentVolumeClaimRetentionPolicy", "whenDeleted") ?? "Retain",
    image: textAt(server, "image") ?? "",
    readiness: probeKind(probe),
    readinessPath: textAt(probe, "httpGet", "path"),
    hook: hookView(server),
    hasLiveness: at(server, "livenessProbe") !== undefined,
    spreadKeys: listAt(pod, "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
      .filter(
        (term) => at(term, "labelSelector") === undefined || selectorTakes(at(term, "labelSelector"), labels),
      )
      .map((term) => textAt(term, "topologyKey") ?? ""),
    nodeSelector: labelsAt(pod, "nodeSelector"),
    nodeTerms: listAt(
      pod,
      "affinity",
      "nodeAffinity",
      "requiredDuringSchedulingIgnoredDuringExecution",
      "nodeSelectorTerms",
    ).map((term) =>
      listAt(term, "matchExpressions").map((one) => ({
        key: textAt(one, "key") ?? "",
        operator: textAt(one, "operator") ?? "",
        values: textsAt(one, "values"),
      })),
    ),
    tolerations: listAt(pod, "tolerations").map((one) => ({
      key: textAt(one, "key"),
      operator: textAt(one, "operator"),
      value: textAt(one, "value"),
      effect: textAt(one, "effect"),
    })),
    setsNodeId: listAt(server, "env").some((one) => textAt(one, "name") === "BAO_RAFT_NODE_ID"),
    evictionMarks: evictionMarks(labelsAt(spec, "template", "metadata", "annotations")),
    hostNetwork: booleanAt(pod, "hostNetwork") === true,
  };
}

function evictionMarks(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const mark = /^(?:descheduler\.alpha\.kubernetes\.io|cluster-autoscaler\.kubernetes\.io|karpenter\.sh)\//;
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => mark.test(key)));
}

function probeKind(probe: unknown): StatefulSetView["readiness"] {
  if (at(probe, "httpGet") !== undefined) return "http";
  if (at(probe, "exec") !== undefined) return "exec";
  return at(probe, "tcpSocket") !== undefined ? "tcp" : "none";
}

export interface PodView {
  readonly name: string;
  readonly uid: string;
  readonly ordinal: number;
  readonly revision: string;
  readonly node: string;
  readonly phase: string;
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The pods of StatefulSet `release`, by ordinal; others give undefined. */
export function podView(object: unknown, release: string): PodView | undefined {
  const name = nameOf(object);
  const ordinal = ordinalOf(name, release);
  if (ordinal === undefined) return undefined;
  const labels = labelsAt(object, "metadata", "labels");
  const containers = listAt(object, "spec", "containers");
  const server = containers.find((one) => textAt(one, "name") === "openbao") ?? containers[0];
  return {
    name,
    uid: textAt(object, "metadata", "uid") ?? "",
    ordinal,
    revision: labels["controller-revision-hash"] ?? "",
    node: textAt(object, "spec", "nodeName") ?? "",
    phase: textAt(object, "status", "phase") ?? "",
    ready: listAt(object, "status", "conditions").some(
      (one) => textAt(one, "type") === "Ready" && textAt(one, "status") === "True",
    ),
    terminating: at(object, "metadata", "deletionTimestamp") !== undefined,
    image: textAt(server, "image") ?? "",
    labels,
  };
}

/** N of a name `<prefix>-N`. */
export function ordinalOf(name: string, prefix: string): number | undefined {
  if (!name.startsWith(`${prefix}-`)) return undefined;
  const rest = name.slice(prefix.length + 1);
  return /^(0|[1-9]\d{0,3})$/.test(rest) ? Number(rest) : undefined;
}

export interface TaintView {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
}

export interface NodeView {
  readonly name: string;
  readonly hostname: string;
  readonly ready: boolean;
  readonly unschedulable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly TaintView[];
  /** Names of the images that the kubelet says it holds: by default its 50 largest. */
  readonly images: readonly string[];
}

export function nodeView(object: unknown): NodeView {
  const labels = labelsAt(object, "metadata", "labels");
  return {
    name: nameOf(object),
    hostname: labels["kubernetes.io/hostname"] ?? nameOf(object),
    ready: listAt(object, "status", "conditions").some(
      (one) => textAt(one, "type") === "Ready" && textAt(one, "status") === "True",
    ),
    unschedulable: booleanAt(object, "spec", "unschedulable") === true,
    labels,
    images: listAt(object, "status", "images").flatMap((one) => textsAt(one, "names")),
    taints: listAt(object, "spec", "taints").map((one) => ({
      key: textAt(one, "key") ?? "",
      value: textAt(one, "value") ?? "",
      effect: textAt(one, "effect") ?? "",
    })),
  };
}
