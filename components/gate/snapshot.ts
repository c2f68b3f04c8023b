import type { MigrationConfig } from "../../config";
import type { JournalEntry } from "../cluster/journal";
import type { KubeClient } from "../cluster/kubeClient";
import type { OpenBao } from "../cluster/openBaoClient";
import { carryPath, type CarryPath } from "../steps/carryPath";
import type { QuotaView } from "./quota";
import type { AccessView, LeaseView } from "./readAccess";
import { readAdmission, type AdmissionView } from "./readAdmission";
import type { ArgoView } from "./readArgo";
import type { AutoscalerView } from "./readAutoscalers";
import type { CheckoutView } from "./readCheckout";
import { readClaims, readNamespaced, readNodes } from "./readCluster";
import type { DeliveryView, HelmView } from "./readDelivery";
import { readFlux } from "./readFlux";
import type { GitKeyView } from "./readGitKey";
import type { KeyCopy } from "./readKeyCopies";
import type { KeyProofView, KeySecretView } from "./readKeySecret";
import type { BudgetView, EndpointsView, ServiceView, WebhookView } from "./readNetwork";
import type { RehearsalView } from "./readRehearsal";
import { readServers } from "./readServers";
import type { ClientView } from "./readRoutes";
import type { NodeStatus, TokenView } from "./readOpenBao";
import type { PolicyView } from "./readPolicies";
import type { JobView, ReleaseView, WriterView } from "./readRelease";
import type { ServerConfigView } from "./readServerConfig";
import type { VeleroView } from "./readVelero";
import type { ClaimView, StorageClassView, VolumeUse, VolumeView } from "./readStorage";
import type { NodeView, PodView, StatefulSetView } from "./readWorkload";
import { deepFreeze, notKnown, observe, type Observed } from "./observed";

/** One read-only look at the cluster. Holds no secret, and nothing of it changes afterwards. */
export interface ClusterSnapshot {
  /** When the look began: RFC 3339, by this machine's clock. */
  readonly takenAt: string;
  /** The data path of the config. */
  readonly path: CarryPath;
  readonly api: Observed<{ readonly version: string }>;
  /** Time that the API server put on an object in a dry run. */
  readonly serverTime: Observed<string>;
  readonly namespace: Observed<{ readonly labels: Readonly<Record<string, string>> } | undefined>;
  readonly release: Observed<ReleaseView | undefined>;
  /** Undefined when the release has no standalone config any more. */
  readonly serverConfig: Observed<ServerConfigView | undefined>;
  readonly statefulSet: Observed<StatefulSetView | undefined>;
  readonly pods: Observed<readonly PodView[]>;
  readonly claims: Observed<readonly ClaimView[]>;
  readonly volumes: Observed<readonly VolumeView[]>;
  readonly volumeUse: Observed<readonly VolumeUse[]>;
  readonly storageClasses: Observed<readonly StorageClassView[]>;
  readonly nodes: Observed<readonly NodeView[]>;
  readonly keySecret: Observed<KeySecretView>;
  /** Undefined when stage backup has proven no key yet. */
  readonly keyProof: Observed<KeyProofView | undefined>;
  /** What each server says of itself, by pod name. */
  readonly servers: Readonly<Record<string, Observed<NodeStatus>>>;
  readonly token: Observed<TokenView>;
  readonly services: Observed<readonly ServiceView[]>;
  readonly activeEndpoints: Observed<EndpointsView>;
  readonly budgets: Observed<readonly BudgetView[]>;
  readonly policies: Observed<readonly PolicyView[]>;
  /** Undefined when no Cilium is there. */
  readonly ciliumPolicies: Observed<readonly PolicyView[] | undefined>;
  readonly lease: Observed<LeaseView | undefined>;
  readonly journal: Observed<readonly JournalEntry[]>;
  /** Uid of the journal; undefined while there is none. */
  readonly runId: Observed<string | undefined>;
  /** The rehearsal's evidence; undefined when this stack needs none, since it is the rehearsal. */
  readonly rehearsal: Observed<RehearsalView | undefined>;
  /** Who applies the chart here. */
  readonly delivery: Observed<DeliveryView>;
  /** Undefined unless Helm itself delivers. */
  readonly helm: Observed<HelmView | undefined>;
  /** The Flux objects above the HelmRelease, nearest first. */
  readonly owners: Observed<readonly WriterView[]>;
  readonly cronJobs: Observed<
    readonly (JobView & { readonly suspended: boolean; readonly schedule: string })[]
  >;
  readonly jobs: Observed<readonly JobView[]>;
  readonly externalWriters: Observed<readonly WriterView[]>;
  /** Secret stores of External Secrets, routes and CronJobs, with the addresses that they name. */
  readonly clients: Observed<readonly ClientView[]>;
  /** Those that target the StatefulSet. */
  readonly autoscalers: Observed<readonly AutoscalerView[]>;
  /** Argo CD Applications with objects in the namespace; undefined without Argo CD. */
  readonly argo: Observed<readonly ArgoView[] | undefined>;
  /** True when PrometheusRules are served. */
  readonly prometheusRules: Observed<boolean>;
  readonly podWebhooks: Observed<readonly WebhookView[]>;
  readonly quotas: Observed<readonly QuotaView[]>;
  /** Dry runs of what the stages make. */
  readonly admission: Observed<readonly AdmissionView[]>;
  readonly access: Observed<AccessView>;
  /** Undefined when Velero is not installed. */
  readonly velero: Observed<{ readonly newest: VeleroView | undefined } | undefined>;
  /** Undefined when the config names no checkout. */
  readonly keyCopies: Observed<readonly KeyCopy[] | undefined>;
  /** Undefined when the config wants no copy of the keys in Git. */
  readonly gitKey: Observed<GitKeyView | undefined>;
  /** Undefined when the config names no checkout. */
  readonly checkout: Observed<CheckoutView | undefined>;
  /** Milliseconds that the look took. */
  readonly tookMs: number;
}

export interface SnapshotAccess {
  /** Absent when there is no usable kubeconfig: `why` says so. */
  readonly kube?: KubeClient;
  readonly why?: string;
  readonly openBao: (pod: string) => OpenBao;
  /** Reads the rehearsal's evidence. @default this stack needs none */
  readonly rehearsal?: () => Promise<RehearsalView | undefined>;
  readonly now?: Date;
  /** Bound of each group of requests, in milliseconds. @default 5000 */
  readonly groupTimeoutMs?: number;
  /** Bound of the whole look: groups that wait for one another add up. @default 30000 */
  readonly lookTimeoutMs?: number;
}

/** Takes the look: parts in parallel, each with its own bound. Never throws: a part that cannot be read is unknown. */
export async function takeSnapshot(
  config: MigrationConfig,
  access: SnapshotAccess,
): Promise<ClusterSnapshot> {
  const started = Date.now();
  // Before the API server is asked for its time: a slow look is no skew between two clocks.
  const takenAt = (access.now ?? new Date()).toISOString();
  const look = lookWith(config, access);
  const cluster = readNamespaced(look);
  const flux = readFlux(look, cluster.releaseObject, cluster.secretObject);
  const nodes = readNodes(look, cluster.pods);
  const claims = readClaims(look);
  const servers = readServers(look, cluster.pods, cluster.secretObject, access.openBao);
  const admission = readAdmission(look, { set: cluster.set, nodes: nodes.objects, pods: cluster.pods });
  const rehearsal = observe("the rehearsal's evidence", look.timeoutMs, async () => access.rehearsal?.());
  const parts: Pending<Part> = {
    ...cluster.parts,
    ...flux,
    ...nodes.parts,
    ...claims,
    ...servers,
    admission,
    rehearsal,
  };
  const values = await withinBound(parts, access.lookTimeoutMs ?? 30_000);
  return deepFreeze({
    takenAt,
    path: carryPath(config),
    ...values,
    tookMs: Date.now() - started,
  }) as ClusterSnapshot;
}

/** What is not known at the end of the bound stays unknown, and says so. */
async function withinBound(parts: Pending<Part>, boundMs: number): Promise<Record<string, unknown>> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<void>((resolve) => (timer = setTimeout(resolve, boundMs)));
  const late = notKnown(`no answer before the look ended, after ${boundMs} ms`);
  const entries = Object.entries(parts).map(async ([key, part]) => {
    // The servers are known one by one.
    const value = await Promise.race([part, end.then(() => (key === "servers" ? {} : late))]);
    return [key, value] as const;
  });
  try {
    return Object.fromEntries(await Promise.all(entries));
  } finally {
    clearTimeout(timer);
  }
}

type Part = Exclude<keyof ClusterSnapshot, "takenAt" | "path" | "tookMs">;

/** Parts of the snapshot that are being read. */
export type Pending<K extends Part> = { readonly [P in K]: Promise<ClusterSnapshot[P]> };

/** What each reader needs: the client, the names, and `see`, which bounds one group of requests. */
export interface Look {
  readonly config: MigrationConfig;
  readonly timeoutMs: number;
  /** @param boundMs of a group that is known to take longer. @default timeoutMs */
  see<T>(what: string, read: (kube: KubeClient) => Promise<T>, boundMs?: number): Promise<Observed<T>>;
}

function lookWith(config: MigrationConfig, access: SnapshotAccess): Look {
  const timeoutMs = access.groupTimeoutMs ?? 5000;
  const { kube } = access;
  return {
    config,
    timeoutMs,
    see: async (what, read, boundMs) => {
      if (kube === undefined) return notKnown(access.why ?? "there is no usable kubeconfig");
      return observe(what, boundMs ?? timeoutMs, () => read(kube));
    },
  };
}
