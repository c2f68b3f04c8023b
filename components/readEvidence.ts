import * as pulumi from "@pulumi/pulumi";
import { readJournalRun } from "./cluster/journal";
import { KubeError, type KubeClient } from "./cluster/kubeClient";
import { evidenceOf, type Evidence } from "./evidence/evidence";

/** What the journal in the cluster proves; undefined, with a warning, when it cannot be read: the stage itself is done. */
export async function readEvidence(kube: KubeClient, namespace: string): Promise<Evidence | undefined> {
  try {
    const run = await readJournalRun(kube, namespace);
    return run === undefined ? undefined : evidenceOf(run);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    await pulumi.log.warn(`no evidence is exported: ${error.message}`);
    return undefined;
  }
}
