/*
 * A stand-in for Flux's helm-controller, for rehearsals on machines that cannot download it. Never for production, and
 * never beside the real one: both would act on the same objects.
 *
 * Before: the HelmRelease and HelmRepository definitions are installed; the environment names KUBECONFIG,
 * REHEARSAL_HELM (the helm binary), REHEARSAL_CHARTS_DIR (a folder of charts by name) and REHEARSAL_READY_FILE.
 * After: runs until SIGTERM or SIGINT; the ready file holds the process id once every HelmRelease was listed.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { ClusterAccess } from "./clusterAccess";
import { reconcileRelease } from "./reconcileRelease";
import { ReleaseQueue } from "./releaseQueue";
import { Helm } from "./runHelm";
import { watchHelmReleases } from "./watchHelmReleases";

function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (!value)
    throw new Error(
      `found no ${name} in the environment, expected a path: see rehearsal/standins/helmController`,
    );
  return value;
}

async function main(): Promise<void> {
  const kubeconfig = fromEnvironment("KUBECONFIG");
  const readyFile = fromEnvironment("REHEARSAL_READY_FILE");
  const chartsDir = fromEnvironment("REHEARSAL_CHARTS_DIR");
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  // Of its own, so that neither plugins nor repositories of the user's Helm play a part.
  const helmHome = mkdtempSync(join(tmpdir(), "rehearsal-helm-"));
  const helm = new Helm(fromEnvironment("REHEARSAL_HELM"), kubeconfig, helmHome);
  const tools = { cluster: new ClusterAccess(config), helm, chartsDir };
  const queue = new ReleaseQueue(
    (namespace, name) => reconcileRelease(tools, namespace, name),
    console.error,
  );
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  try {
    await watchHelmReleases(
      config,
      stop.signal,
      (release) => queue.changed(release),
      () => writeFileSync(readyFile, `${process.pid}\n`),
    );
    helm.interrupt();
    await queue.stop();
  } finally {
    rmSync(readyFile, { force: true });
    rmSync(helmHome, { recursive: true, force: true });
  }
}

main().then(
  () => process.exit(0),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
