import { record } from "../cluster/openBaoStatus";
import { helmRecord, helmRevisions, type HelmRecord } from "../delivery/helmRecord";
import { manifestDrift } from "../delivery/manifestDrift";
import { valueDifferences } from "../land/valueDifferences";
import type { Drift } from "./drift";
import type { StepContext } from "./runStep";
import type { HelmRelease } from "./world";

/** What Helm applied last, as step resume finds it before the un-pause. */
export interface AppliedRelease {
  readonly revision: number;
  /** `openbao 0.29.2`. */
  readonly chart: string;
}

export interface ReleaseLook extends Partial<AppliedRelease> {
  readonly drift: readonly Drift[];
  readonly compared: readonly string[];
  readonly left: readonly string[];
  /** Flux's own digest of the applied release. */
  readonly digest?: string;
}

/** An entry of `status.history`, newest first. */
interface Snapshot {
  readonly name?: string;
  readonly version?: number;
  readonly status?: string;
  readonly digest?: string;
  readonly chartName?: string;
  readonly chartVersion?: string;
}

/** Name and version of a chart that can be told by them: no range, no reference to elsewhere. */
const EXACT_CHART = /^[a-z0-9][-a-z0-9]* v?\d+\.\d+\.\d+[-+.\w]*$/;

export async function appliedRelease(
  ctx: StepContext,
  release: HelmRelease,
): Promise<(AppliedRelease & { readonly status: string; readonly recorded: HelmRecord }) | undefined> {
  const { input, kube } = ctx;
  const namespace = release.status?.storageNamespace ?? input.namespace;
  const name = newestEntry(release)?.name ?? input.release;
  const newest = (await helmRevisions(kube, { namespace, release: name })).at(-1);
  if (newest === undefined) return undefined;
  const recorded = helmRecord(newest);
  const about = record(recorded.chart["metadata"]);
  const chart = `${String(about["name"])} ${String(about["version"])}`;
  return { revision: newest.revision, status: newest.status, recorded, chart };
}

/**
 * Helm's newest revision against the HelmRelease, against the chart of before, and against the live objects.
 * @param before what step resume found before the un-pause
 */
export async function releaseLook(
  ctx: StepContext,
  release: HelmRelease,
  before: Partial<AppliedRelease>,
): Promise<ReleaseLook> {
  const object = `Helm release ${ctx.input.release}`;
  const of = (field: string, how: string): Drift => ({ part: "release", object, field, how });
  const applied = await appliedRelease(ctx, release);
  if (applied === undefined) {
    return { drift: [of("Secrets of type helm.sh/release.v1", "none")], compared: [], left: [] };
  }
  const { revision, chart } = applied;
  const expected = [
    ...(before.chart === undefined ? [] : [["before the un-pause", before.chart] as const]),
    ...(EXACT_CHART.test(ctx.input.chart ?? "") ? [["in the preview", ctx.input.chart!] as const] : []),
  ];
  const suspended = release.spec?.suspend === true;
  const { drift, compared, left } = await manifestDrift(
    ctx.kube,
    ctx.input.namespace,
    applied.recorded.manifest,
  );
  const digest = newestEntry(release)?.digest;
  return {
    ...{ revision, chart, compared, left },
    ...(digest !== undefined && { digest }),
    drift: [
      ...(applied.status === "deployed" ? [] : [of(`revision ${revision}`, `status ${applied.status}`)]),
      ...expected
        .filter(([, said]) => said.replace(/ v(?=\d)/, " ") !== chart.replace(/ v(?=\d)/, " "))
        .map(([when, said]) => of("chart", `${chart}, ${when} ${said}`)),
      // Nothing applies what is asked for of a release that its user keeps suspended.
      ...(suspended ? [] : configDrift(release, applied.recorded).map(([field, how]) => of(field, how))),
      ...(suspended || ctx.input.delivery === "helm" ? [] : historyDrift(release, applied)),
      ...drift.map((one): Drift => ({ part: "objects", ...one })),
    ],
  };
}

/** Helm holds each value that is asked for, and no other but those of `spec.valuesFrom`. */
function configDrift(release: HelmRelease, { config }: HelmRecord): [string, string][] {
  const more = release.spec?.["valuesFrom"];
  const others = Array.isArray(more) && more.length > 0;
  // Helm keeps no null of its own: absent is the same here.
  return valueDifferences(withoutNulls(release.spec?.values ?? {}), withoutNulls(config))
    .filter(({ kind }) => kind !== "missing" || !others)
    .map(({ path, kind }) => {
      const how = {
        missing: "not asked for",
        extra: "asked for, not applied",
        different: "other than asked for",
      }[kind];
      return [["config", ...path].join("."), how];
    });
}

/** The newest entry tells the same revision as Helm itself, and its chart. */
function historyDrift(
  release: HelmRelease,
  { revision, chart }: AppliedRelease & { readonly status: string },
): Drift[] {
  const entry = newestEntry(release);
  const of = (field: string, how: string): Drift => ({
    part: "release",
    object: `HelmRelease ${release.metadata?.name}`,
    field: `status.history[0]${field}`,
    how,
  });
  if (entry === undefined) return [of("", "absent")];
  const told = `${entry.chartName} ${entry.chartVersion}`;
  return [
    ...(entry.version === revision ? [] : [of(".version", `${entry.version}, Helm's newest is ${revision}`)]),
    ...(entry.status === "deployed" ? [] : [of(".status", String(entry.status))]),
    ...(told === chart ? [] : [of(".chartVersion", `${told}, Helm applied ${chart}`)]),
  ];
}

function newestEntry({ status }: HelmRelease): Snapshot | undefined {
  return status?.history?.[0] as Snapshot | undefined;
}

function withoutNulls(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined);
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutNulls(inner)]));
}
