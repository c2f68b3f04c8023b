import * as pulumi from "@pulumi/pulumi";
import type { ConfigResult, MigrationConfig } from "../../config";
import type { JournalEntry } from "../cluster/journal";
import { kubeClient, loadKubeConfig, type KubeClient } from "../cluster/kubeClient";
import type { OpenBao } from "../cluster/openBaoClient";
import { openBaoInPod } from "../cluster/openBaoStatus";
import { draftConfig } from "./draftConfig";
import { judged, type Gate } from "./judged";
import { clean, valueOr } from "./observed";
import { bindPlan } from "./boundPlan";
import { readRehearsal } from "./readRehearsal";
import { blocks, formatReport, type GateReport } from "./report";
import { takeSnapshot, type SnapshotAccess } from "./snapshot";

/** A gate that let through: the cluster was reached, and what it said is at hand. */
export interface PassedGate extends Gate {
  readonly kube: KubeClient;
  readonly journal: readonly JournalEntry[];
}

/** A config result that may bring the plain values, so that a broken config still says where to look. */
export type GateInput = ConfigResult & { readonly raw?: Readonly<Record<string, unknown>> };

/**
 * Looks, judges, shows the report, and lets through or stops.
 * @param access stands in for the cluster of the kubeconfig, in tests
 * @throws pulumi.RunError when anything blocks; nothing was touched then.
 */
export async function passGate(result: GateInput, access?: SnapshotAccess): Promise<PassedGate> {
  const gate = await runGate(result, access);
  const moved = bindPlan(gate, { preview: pulumi.runtime.isDryRun(), stack: pulumi.getStack() });
  await assertGate({ ...gate.report, config: [...gate.report.config, ...moved] });
  const { kube, snapshot } = gate;
  if (kube === undefined) throw new Error("the gate passed without a cluster; this is a bug");
  return { ...gate, kube, journal: valueOr(snapshot.journal, []) };
}

/** Looks and judges; throws nothing. @param access stands in for the cluster of the kubeconfig, in tests. */
export async function runGate(result: GateInput, access?: SnapshotAccess): Promise<Gate> {
  const config = result.ok ? result.config : draftConfig(result.raw ?? {}, result.findings);
  const open = new Map<string, { close(): void }>();
  try {
    const used = access ?? liveAccess(config, open);
    const gate = judged(result, config, await takeSnapshot(config, used));
    // The look's own client is closed; the steps that follow get another one.
    const kube = access === undefined && used.kube !== undefined ? kubeClient(used.kube.config) : used.kube;
    return kube === undefined ? gate : { ...gate, kube };
  } finally {
    // An open port-forward, or a request that hangs, would keep the process alive.
    for (const one of open.values()) one.close();
  }
}

/** Shows the report in `pulumi preview` and `pulumi up`. @throws pulumi.RunError when anything blocks. */
export async function assertGate(report: GateReport): Promise<void> {
  const text = formatReport(report);
  if (!blocks(report)) {
    await pulumi.log.info(text);
    return;
  }
  await pulumi.log.error(text);
  throw new pulumi.RunError("the gate stopped this run before anything was touched; its report is above");
}

function liveAccess(config: MigrationConfig, open: Map<string, { close(): void }>): SnapshotAccess {
  const rehearsal = () => readRehearsal(config.rehearsal);
  const none: SnapshotAccess["openBao"] = () => {
    throw new Error("there is no kubeconfig; this is a bug");
  };
  try {
    const kube = kubeClient(loadKubeConfig(config.context));
    open.set("the API server", kube);
    const servers = new Map<string, OpenBao>();
    const openBao = (pod: string): OpenBao => {
      const bao = servers.get(pod) ?? openBaoInPod(kube, config, pod);
      servers.set(pod, bao);
      open.set(pod, bao);
      return bao;
    };
    return { kube, openBao, rehearsal };
  } catch (error) {
    return { why: `the kubeconfig cannot be used: ${whyNot(error)}`, openBao: none, rehearsal };
  }
}

/** Only an error's first line, and not of a parser's that quotes the file, and with it perhaps a credential. */
function whyNot(error: unknown): string {
  const plain = error instanceof Error && ["Error", "YAMLException"].includes(error.name);
  return plain ? clean(error.message.split("\n")[0] ?? "", 300) : "it is not a kubeconfig";
}
