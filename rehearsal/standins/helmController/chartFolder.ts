import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { ClusterAccess } from "./clusterAccess";
import type { HelmRelease } from "./helmRelease";

export interface Chart {
  dir: string;
  name: string;
  version: string;
}

/**
 * Finds the chart that a HelmRelease names in the folder of charts; its HelmRepository must exist in the cluster.
 * @throws when the reference is of another kind, or repository, chart or the pinned version is missing.
 */
export async function findChart(
  release: HelmRelease,
  chartsDir: string,
  cluster: ClusterAccess,
): Promise<Chart> {
  const spec = release.spec.chart?.spec;
  if (!spec)
    throw new Error(
      "found chartRef, expected spec.chart: the rehearsal's controller serves charts by name only",
    );
  const { kind, name, namespace = release.metadata.namespace } = spec.sourceRef;
  if (kind !== "HelmRepository") {
    throw new Error(
      `found source kind ${kind}, expected HelmRepository: the rehearsal's controller knows no other`,
    );
  }
  if (!(await cluster.hasHelmRepository(namespace, name))) {
    throw new Error(
      `HelmChart '${namespace}/${release.metadata.namespace}-${release.metadata.name}' is not ready: no HelmRepository "${namespace}/${name}"`,
    );
  }
  const dir = join(chartsDir, spec.chart);
  const file = join(dir, "Chart.yaml");
  if (/[\\/]|^\./.test(spec.chart) || !existsSync(file)) {
    throw new Error(
      `found no chart "${spec.chart}" among the rehearsal's charts, expected a folder of that name`,
    );
  }
  const found = parse(readFileSync(file, "utf8")) as { name: string; version: string };
  const pin = /^v?(\d+\.\d+\.\d+[^\s,|]*)$/.exec(spec.version ?? "*")?.[1];
  if (pin && pin !== found.version) {
    throw new Error(
      `found chart "${found.name}" ${found.version}, expected ${pin}: pin the rehearsal's version or a range`,
    );
  }
  return { dir, name: found.name, version: found.version };
}
