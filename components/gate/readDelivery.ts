import type { MigrationConfig } from "../../config";
import { KubeError, type KubeClient, type KubeObject } from "../cluster/kubeClient";
import { subcharts, withChart } from "../delivery/helmChart";
import { deployedOf, helmRecord, helmRevisions } from "../delivery/helmRecord";
import { releasePath } from "../delivery/releaseReader";
import { HelmError, runHelm, upgradeArgs } from "../delivery/runHelm";
import { labelsAt } from "./fields";

/** Who applies the chart here, whatever the config says. */
export interface DeliveryView {
  /** The HelmRelease that does, as namespace/name; undefined when none was seen. */
  readonly flux?: string;
  /** Newest revision and status by Helm itself; undefined when it was not asked, or knows none. */
  readonly helm?: string;
}

/** Flux marks what it applies; the HelmRelease can have another name, or lie in another namespace. */
const FLUX_OWNER = "helm.toolkit.fluxcd.io";

/** Looks for the HelmRelease, and for Helm's own record where there is none. */
export async function readDelivery(kube: KubeClient, config: MigrationConfig): Promise<DeliveryView> {
  const { namespace, release } = config;
  const set = `/apis/apps/v1/namespaces/${namespace}/statefulsets/${release}`;
  const labels = labelsAt(await kube.find<KubeObject>(set), "metadata", "labels");
  const marked = labels[`${FLUX_OWNER}/name`];
  if (marked !== undefined) return { flux: `${labels[`${FLUX_OWNER}/namespace`] ?? namespace}/${marked}` };
  if (await hasHelmRelease(kube, config)) return { flux: `${namespace}/${release}` };
  const newest = (await helmRevisions(kube, config)).at(-1);
  return newest === undefined ? {} : { helm: `revision ${newest.revision}, ${newest.status}` };
}

/** Who may not even look for one is told by the StatefulSet's labels. */
async function hasHelmRelease(kube: KubeClient, config: MigrationConfig): Promise<boolean> {
  const { delivery: _delivery, ...name } = config;
  try {
    return (await kube.find<KubeObject>(releasePath(name))) !== undefined;
  } catch (error) {
    if (config.delivery === "helm" && error instanceof KubeError && error.status === 403) return false;
    throw error;
  }
}

/** What an upgrade by Helm with the recorded chart and the recorded values would do: it must change nothing. */
export interface HelmView {
  /** Such as v3.19.5; undefined when there is no Helm to run. */
  readonly version?: string;
  readonly subcharts: readonly string[];
  /** Objects that would differ from what Helm recorded, as Kind/name; undefined when it was not tried. */
  readonly changed?: readonly string[];
  /** Why it could not be tried. */
  readonly why?: string;
}

/** Runs Helm twice, at most: for its version, and for an upgrade that writes nothing. */
export async function readHelm(
  kube: KubeClient,
  config: MigrationConfig,
  timeoutMs: number,
): Promise<HelmView | undefined> {
  if (config.delivery !== "helm") return undefined;
  const revision = deployedOf(await helmRevisions(kube, config));
  if (revision === undefined) return undefined;
  const { chart, config: values, manifest } = helmRecord(revision);
  const base = { subcharts: subcharts(chart) };
  try {
    const version = (await runHelm(["version", "--template", "{{.Version}}"], undefined, timeoutMs)).trim();
    if (!isRecent(version) || base.subcharts.length > 0) return { ...base, version };
    const printed = await withChart(chart, (folder) =>
      runHelm(upgradeArgs(config, folder, ["--dry-run=server", "--output", "json"]), values, timeoutMs),
    );
    const again = (JSON.parse(printed) as { manifest?: unknown }).manifest;
    return { ...base, version, changed: changedObjects(manifest, typeof again === "string" ? again : "") };
  } catch (error) {
    return {
      ...base,
      // Never Helm's own words: a template's error quotes the value that it failed on.
      why:
        error instanceof HelmError
          ? `${error.summary}; the same command with --dry-run=server says why`
          : "no answer",
    };
  }
}

/** Helm puts labels on a revision since 3.13, by which this program knows its own. */
export function isRecent(version: string): boolean {
  const [, major, minor] = /^v?(\d+)\.(\d+)\./.exec(version) ?? [];
  return Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 13);
}

/** Names of the objects whose text differs; no text is repeated, since it can hold a secret. */
export function changedObjects(before: string, after: string): string[] {
  const [old, now] = [objectsOf(before), objectsOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])].filter((key) => old.get(key) !== now.get(key)).sort();
}

function objectsOf(manifest: string): Map<string, string> {
  const texts = manifest.split(/^---\s*$/m).map((text) => text.trim());
  return new Map(
    texts
      .filter((text) => text.replace(/^#.*$/gm, "").trim() !== "")
      .map((text) => {
        const word = (pattern: RegExp) => pattern.exec(text)?.[1] ?? "?";
        return [`${word(/^kind:\s*(\S+)/m)}/${word(/^ {2}name:\s*(\S+)/m)}`, text] as const;
      }),
  );
}
