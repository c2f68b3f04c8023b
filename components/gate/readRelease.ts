import { conflictWords, fieldConflicts, takenFrom } from "../steps/fieldConflicts";
import { VALUES_ANNOTATION } from "../steps/originalValues";
import { PAUSED_ANNOTATION, type HelmRelease } from "../steps/world";
import { at, booleanAt, labelsAt, listAt, nameOf, numberAt, textAt, textsAt } from "./fields";

/** A value as it stands in YAML: its type matters, since the chart renders 3 for a replica count that is no number. */
export interface ScalarView {
  readonly kind: "absent" | "number" | "text" | "other";
  readonly shown: string;
  readonly number?: number;
  /** The text itself, cut to 200 characters. */
  readonly text?: string;
}

/** The Flux Kustomization that applies an object. */
export interface OwnerView {
  readonly namespace: string;
  readonly name: string;
}

/** What the gate needs of a Flux HelmRelease; values beyond these are not kept, since they can hold a secret. */
export interface ReleaseView {
  readonly suspended: boolean;
  /** True when this program paused it, and has not resumed it yet. */
  readonly pausedByUs: boolean;
  /** True when the values of before the cutover are recorded on it. */
  readonly keepsOriginalValues: boolean;
  readonly generation?: number;
  readonly observedGeneration?: number;
  /** Status of the condition Ready; absent before the first reconciliation. */
  readonly ready?: string;
  readonly readyReason: string;
  readonly mode: "standalone" | "raft" | "ha-without-raft" | "dev" | "off";
  readonly haReplicas: ScalarView;
  readonly imageTag: ScalarView;
  readonly readinessPath?: string;
  readonly podManagementPolicy?: string;
  readonly dataSize?: string;
  readonly dataClass?: string;
  readonly auditSize?: string;
  readonly auditClass?: string;
  readonly pdbMaxUnavailable: ScalarView;
  /** The chart makes no PodDisruptionBudget. */
  readonly pdbOff: boolean;
  readonly valuesFrom: readonly string[];
  readonly upgradeRetries?: number;
  readonly upgradeStrategy?: string;
  readonly upgradeRemediatesLast?: boolean;
  readonly installRetries?: number;
  readonly chart: string;
  /** As it is asked for: a version, a range, or empty where a chartRef says it. */
  readonly chartVersion: string;
  /** Of the chart that was installed last; absent when the HelmRelease does not say it. */
  readonly runningChart?: string;
  readonly owner?: OwnerView;
  /** Expected owners of the values that this program writes: manager, and the values. */
  readonly takenFrom: readonly { readonly manager: string; readonly values: readonly string[] }[];
  /** Owners of written fields that are not expected: field, manager and time, in words. */
  readonly fieldConflicts: readonly string[];
}

export function releaseView(object: unknown): ReleaseView {
  const server = at(object, "spec", "values", "server");
  const spec = at(object, "spec");
  const ready = listAt(object, "status", "conditions").find((one) => textAt(one, "type") === "Ready");
  return {
    suspended: booleanAt(spec, "suspend") === true,
    pausedByUs: labelsAt(object, "metadata", "annotations")[PAUSED_ANNOTATION] !== undefined,
    keepsOriginalValues: labelsAt(object, "metadata", "annotations")[VALUES_ANNOTATION] !== undefined,
    generation: numberAt(object, "metadata", "generation"),
    observedGeneration: numberAt(object, "status", "observedGeneration"),
    ready: textAt(ready, "status"),
    readyReason: textAt(ready, "reason") ?? "",
    mode: modeOf(server),
    haReplicas: scalar(at(server, "ha", "replicas")),
    imageTag: scalar(at(server, "image", "tag")),
    readinessPath: textAt(server, "readinessProbe", "path"),
    podManagementPolicy: textAt(server, "podManagementPolicy"),
    dataSize: textAt(server, "dataStorage", "size"),
    dataClass: textAt(server, "dataStorage", "storageClass"),
    auditSize: textAt(server, "auditStorage", "size"),
    auditClass: textAt(server, "auditStorage", "storageClass"),
    pdbMaxUnavailable: scalar(at(server, "ha", "disruptionBudget", "maxUnavailable")),
    // As the chart compares it; true is its default.
    pdbOff: !["undefined", "true"].includes(String(at(server, "ha", "disruptionBudget", "enabled"))),
    valuesFrom: listAt(spec, "valuesFrom").map(
      (from) => `${textAt(from, "kind") ?? "?"}/${textAt(from, "name") ?? "?"}`,
    ),
    upgradeRetries: numberAt(spec, "upgrade", "remediation", "retries"),
    upgradeStrategy: textAt(spec, "upgrade", "remediation", "strategy"),
    upgradeRemediatesLast: booleanAt(spec, "upgrade", "remediation", "remediateLastFailure"),
    installRetries: numberAt(spec, "install", "remediation", "retries"),
    chart: textAt(spec, "chart", "spec", "chart") ?? textAt(spec, "chartRef", "name") ?? "",
    chartVersion: textAt(spec, "chart", "spec", "version") ?? "",
    runningChart: runningChart(object),
    owner: ownerOf(object),
    takenFrom: [...takenFrom(object as HelmRelease)].map(([manager, values]) => ({ manager, values })),
    fieldConflicts: fieldConflicts(object as HelmRelease, ownerOf(object) !== undefined).map(conflictWords),
  };
}

/** Newest first; a failed upgrade is not what runs, where an earlier revision still does. */
function runningChart(object: unknown): string | undefined {
  const history = listAt(object, "status", "history");
  const deployed = history.find((one) => textAt(one, "status") === "deployed") ?? history[0];
  return textAt(deployed, "chartVersion");
}

/** The chart's own order: dev wins over ha, ha over standalone, and standalone is on unless switched off. */
function modeOf(server: unknown): ReleaseView["mode"] {
  if (at(server, "dev", "enabled") === true) return "dev";
  if (at(server, "ha", "enabled") === true) {
    return at(server, "ha", "raft", "enabled") === true ? "raft" : "ha-without-raft";
  }
  const standalone = at(server, "standalone", "enabled");
  return standalone === false || standalone === "false" ? "off" : "standalone";
}

export function scalar(value: unknown): ScalarView {
  if (value === undefined || value === null) return { kind: "absent", shown: "nothing" };
  if (typeof value === "number") return { kind: "number", shown: String(value), number: value };
  if (typeof value === "string") {
    const text = value.slice(0, 200);
    return { kind: "text", shown: JSON.stringify(text), text };
  }
  return { kind: "other", shown: Array.isArray(value) ? "a list" : `a ${typeof value}` };
}

export function ownerOf(object: unknown): OwnerView | undefined {
  const labels = labelsAt(object, "metadata", "labels");
  const name = labels["kustomize.toolkit.fluxcd.io/name"];
  const namespace = labels["kustomize.toolkit.fluxcd.io/namespace"];
  return name === undefined || namespace === undefined ? undefined : { namespace, name };
}

/** A Flux object that can write into the cluster: what it is, where it is, and whether it is paused. */
export interface WriterView {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly suspended: boolean;
  readonly detail: string;
}

export function writerView(kind: string, object: unknown): WriterView {
  return {
    kind,
    namespace: textAt(object, "metadata", "namespace") ?? "",
    name: nameOf(object),
    suspended: booleanAt(object, "spec", "suspend") === true,
    detail: textAt(object, "spec", "schedule") ?? textAt(object, "spec", "refreshInterval") ?? "",
  };
}

/** A Job, and whether it can still write. */
export interface JobView {
  readonly name: string;
  readonly active: boolean;
  readonly images: readonly string[];
  /** True when a container's command or arguments run `operator init`. */
  readonly initialises: boolean;
  /** True when a container's command or arguments take a Raft snapshot. */
  readonly takesSnapshots: boolean;
  /** Last success of a CronJob, as its status says; RFC 3339. */
  readonly lastSuccess?: string;
  /** True when this program made it. */
  readonly ours: boolean;
}

/** A Job, or a CronJob's template of one. */
export function jobView(object: unknown, ourManager: string): JobView {
  const spec = at(object, "spec", "jobTemplate", "spec") ?? at(object, "spec");
  const pod = at(spec, "template", "spec");
  const containers = [...listAt(pod, "initContainers"), ...listAt(pod, "containers")];
  const finished = listAt(object, "status", "conditions").some(
    (one) => ["Complete", "Failed"].includes(textAt(one, "type") ?? "") && textAt(one, "status") === "True",
  );
  const lines = containers.map(commandLine);
  return {
    name: nameOf(object),
    active: !finished && booleanAt(object, "spec", "suspend") !== true,
    images: containers.map((one) => textAt(one, "image") ?? ""),
    initialises: lines.some(runsInit),
    takesSnapshots: lines.some((line) => /\braft\s+snapshot\s+save\b|\bstorage\/raft\/snapshot\b/.test(line)),
    lastSuccess: textAt(object, "status", "lastSuccessfulTime"),
    ours: labelsAt(object, "metadata", "labels")["app.kubernetes.io/managed-by"] === ourManager,
  };
}

/** Command and arguments as one line: a shell's text is one word of it, an argv list puts each word in its own. */
function commandLine(container: unknown): string {
  const words = [...textsAt(container, "command"), ...textsAt(container, "args")];
  return words
    .map((word) => word.slice(0, 65_536))
    .join(" ")
    .replace(/\\\r?\n/g, " ");
}

/** Each command is judged apart: one `operator init -status` beside a real init excuses nothing. */
function runsInit(line: string): boolean {
  const commands = line.split(/[\n;&|(){}`]|(?=\boperator\s)/);
  return commands.some(
    (one) =>
      /\/sys\/init\b/.test(one) ||
      (/^operator\s+init\b/.test(one) && !/\s--?status(?:=true)?(?=["'\s]|$)/.test(one)),
  );
}
