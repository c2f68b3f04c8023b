import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { parse } from "yaml";
import { currentEntries, readJournal, type JournalEntry } from "../components/cluster/journal";
import type { KubeClient, KubeObject } from "../components/cluster/kubeClient";
import type { ReleaseName } from "../components/delivery/releaseReader";
import { differenceLine, valueDifferences, type ValueDifference } from "../components/land/valueDifferences";
import { OWNED_VALUES } from "../components/openBaoConfig/targetValues";
import { LANDED_BRANCH } from "./landedClaims";
import type { Claim } from "./outcome";
import { HELM_RELEASE_FILE, substitute, VALUES_FILE, VARIABLES_FILE } from "./source/platformFiles";
import { SOURCE_NAMESPACE } from "./source/sourceCluster";
import { detectDrift, manifestTexts } from "./standins/helmController/detectDrift";
import { decodeRelease, type StoredRelease } from "./standins/helmController/releaseStorage";

const RELEASE = `/apis/helm.toolkit.fluxcd.io/v2/namespaces/${SOURCE_NAMESPACE}/helmreleases/openbao`;
const SECRETS = `/api/v1/namespaces/${SOURCE_NAMESPACE}/secrets`;
const PODS = `/api/v1/namespaces/${SOURCE_NAMESPACE}/pods`;

type Values = Readonly<Record<string, unknown>>;
type Release = KubeObject & {
  spec?: { values?: Values };
  status?: { history?: { version?: number; chartName?: string; chartVersion?: string }[] };
};

/** Where the landed files are. */
export interface LandedFiles {
  readonly folder: string;
  readonly ref: string;
  readonly delivery: NonNullable<ReleaseName["delivery"]>;
  /** Whether somebody applies all of the file, and not only what the move changed. */
  readonly applied: boolean;
}

/** What is seen of the landed release, by other ways than the program's own. */
export interface DriftView {
  readonly delivery: LandedFiles["delivery"];
  readonly applied: boolean;
  readonly landed: Values;
  /** Values of the HelmRelease; absent with Helm itself. */
  readonly asked?: Values;
  /** Helm's newest record. */
  readonly stored: Pick<StoredRelease, "version" | "config" | "chart">;
  /** Newest entry of the HelmRelease's history. */
  readonly history?: {
    readonly version?: number;
    readonly chartName?: string;
    readonly chartVersion?: string;
  };
  readonly objects: number;
  /** Objects that a server-side dry run of Helm's manifest would change. */
  readonly drifted: readonly string[];
  /** Name -> uid and restarts. */
  readonly pods: Readonly<Record<string, string>>;
  readonly journal: readonly JournalEntry[];
}

export async function readDrift(
  kube: KubeClient,
  files: LandedFiles,
  drift: (manifest: string) => Promise<readonly string[]> = (manifest) => dryRun(kube, manifest),
): Promise<DriftView> {
  const release = files.delivery === "helm" ? undefined : await kube.get<Release>(RELEASE);
  const stored = await newestRelease(kube);
  const history = release?.status?.history?.[0];
  return {
    delivery: files.delivery,
    applied: files.applied,
    landed: await landedValues(files),
    ...(release && { asked: release.spec?.values ?? {} }),
    stored,
    ...(history && { history }),
    objects: manifestTexts(stored.manifest).length,
    drifted: await drift(stored.manifest),
    pods: await podsNow(kube),
    journal: currentEntries(await readJournal(kube, SOURCE_NAMESPACE)),
  };
}

/** The claims where nobody reviews: on the branch, of which Helm itself applies all, and else what the move changed counts. */
export async function unreviewedClaims(
  kube: KubeClient,
  folder: string,
  delivery: LandedFiles["delivery"],
): Promise<Claim[]> {
  const applied = delivery === "helm";
  return driftClaims(await readDrift(kube, { folder, ref: LANDED_BRANCH, delivery, applied }));
}

/** Pure: the claims on zero drift, each with what was seen; values are shown by their paths alone. */
export function driftClaims(view: DriftView): Claim[] {
  const { stored, asked, history, landed, pods } = view;
  const applied = stored.config ?? {};
  const only = view.applied ? undefined : OWNED_VALUES;
  const differences = [
    ...valueDifferences(landed, asked ?? applied, only),
    ...(asked === undefined ? [] : valueDifferences(asked, applied)),
  ];
  const before = view.journal.findLast(
    ({ step, beat, observed }) => step === "resume" && beat === "act" && observed["pods"] !== undefined,
  )?.observed;
  const proof = view.journal.findLast(({ step, beat }) => step === "zero-drift" && beat === "done")?.observed;
  const chart = `${stored.chart.metadata.name} ${stored.chart.metadata.version}`;
  const told = history && `revision ${history.version} of ${history.chartName} ${history.chartVersion}`;
  const found = `revision ${stored.version} of ${chart}`;
  const then = (before?.["pods"] ?? {}) as Record<string, string>;
  const names = [...new Set([...Object.keys(then), ...Object.keys(pods)])].sort();
  const other = names.filter((name) => then[name] !== pods[name]);
  return [
    {
      claim: view.applied
        ? "the landed values are those of the live release, and of Helm's newest record"
        : "the landed values of the move are those of the live release, and Helm's newest record holds all of it",
      holds: differences.length === 0,
      seen: `${found}: ${seenOf(differences)}`,
    },
    {
      claim: "the chart is that of before the un-pause, in Helm's record and in what Flux says",
      holds: before?.["chart"] === chart && (view.delivery === "helm" || told === found),
      seen: `${String(before?.["chart"] ?? "not known")}, then ${found}${told === undefined ? "" : `; Flux says ${told}`}`,
    },
    {
      claim: "each object of Helm's manifest is live as Helm applied it (server-side dry run)",
      holds: view.objects > 0 && view.drifted.length === 0,
      seen: `${view.objects} objects, ${view.drifted.join(", ") || "none differs"}`,
    },
    {
      claim: "the server's pods are those of before the un-pause, by uid and restarts",
      holds: names.length === 3 && other.length === 0,
      seen: `${names.length} pods, ${other.length === 0 ? "the same" : `other: ${other.join(", ")}`}`,
    },
    {
      claim: "the program proved by itself that nothing drifted (step zero-drift)",
      holds: proof?.["revision"] === stored.version && proof["pods"] === "same",
      seen:
        proof === undefined
          ? "no proof"
          : `revision ${String(proof["revision"])}, ${(proof["objects"] as string[] | undefined)?.length ?? 0} objects, pods ${String(proof["pods"])}`,
    },
  ];
}

function seenOf(differences: readonly ValueDifference[]): string {
  return differences.length === 0 ? "no difference" : differences.slice(0, 5).map(differenceLine).join("; ");
}

/** The file on the branch, with the variables put in by the rehearsal's own substitution. */
async function landedValues({ folder, ref, delivery }: LandedFiles): Promise<Values> {
  const show = async (file: string): Promise<string> =>
    (await promisify(execFile)("git", ["-C", folder, "show", `${ref}:${file}`], { timeout: 30_000 })).stdout;
  if (delivery === "helm") return parse(await show(VALUES_FILE)) as Values;
  const { data } = parse(await show(VARIABLES_FILE)) as { data: Record<string, string> };
  const { spec } = parse(substitute(await show(HELM_RELEASE_FILE), data)) as { spec: { values: Values } };
  return spec.values;
}

async function newestRelease(kube: KubeClient): Promise<StoredRelease> {
  const secrets = await kube.list<KubeObject & { data?: Record<string, string> }>(SECRETS, {
    labelSelector: "owner=helm,name=openbao",
  });
  const all = secrets.map(({ data }) => decodeRelease(data?.["release"] ?? ""));
  const newest = all.sort((a, b) => b.version - a.version)[0];
  if (newest === undefined) throw new Error('Helm knows no release "openbao" after the move');
  return newest;
}

async function podsNow(kube: KubeClient): Promise<Record<string, string>> {
  type Pod = KubeObject & { status?: { containerStatuses?: { restartCount: number }[] } };
  const pods = await kube.list<Pod>(PODS, { labelSelector: "component=server" });
  return Object.fromEntries(
    pods.map(({ metadata, status }) => {
      const restarts = status?.containerStatuses?.reduce((sum, one) => sum + one.restartCount, 0) ?? 0;
      return [metadata?.name ?? "", `${metadata?.uid}/${restarts}`];
    }),
  );
}

async function dryRun(kube: KubeClient, manifest: string): Promise<string[]> {
  // Most of what imports this file never comes here, and the whole library takes a second to load.
  const { KubernetesObjectApi } = await import("@kubernetes/client-node");
  const objects = KubernetesObjectApi.makeApiClient(kube.config);
  return await detectDrift(objects, manifest, SOURCE_NAMESPACE, [], false);
}
