import type { V1Pod } from "@kubernetes/client-node";
import type { KubeClient, KubeObject } from "../../components/cluster/kubeClient";
import { claimVolume, volumeFolder } from "../../rehearsal/cluster/claimVolume";
import { nodeLayouts, type NodeLayout } from "../../rehearsal/cluster/layout";
import { cordonAndEvict } from "../../rehearsal/injected/cordon";
import { healInjected } from "../../rehearsal/injected/heal";
import { cutNode } from "../../rehearsal/injected/packetFilter";
import { breakAuditPath, fillVolume } from "../../rehearsal/injected/volumes";
import { SOURCE_NAMESPACE } from "../../rehearsal/source/sourceCluster";
import { cutOf, WORLD_FAULT_RECORDS, type WorldFault } from "./worldFault";

const POD = "openbao-0";

/** The deeds themselves; a test brings its own. */
export interface WorldDeeds {
  cut(node: NodeLayout, what: NonNullable<ReturnType<typeof cutOf>>): Promise<void>;
  breakAudit(volume: string): void;
  fill(volume: string): number;
  heal(kube: KubeClient): Promise<void>;
}

const REAL: WorldDeeds = { cut: cutNode, breakAudit: breakAuditPath, fill: fillVolume, heal: healInjected };

/** Breaks one thing of the world at its time, and puts it right again. */
export class WorldBreaker {
  private brokenAt: number | undefined;
  private healed = false;

  constructor(
    private readonly kube: KubeClient,
    private readonly what: WorldFault,
    private readonly deeds: WorldDeeds = REAL,
    private readonly now: () => number = Date.now,
  ) {}

  get broken(): boolean {
    return this.brokenAt !== undefined;
  }

  /** Called again and again while the run goes on. @param due whether the run has come to the fault */
  async tick(due: boolean): Promise<void> {
    if (this.brokenAt === undefined) {
      if (!due) return;
      this.brokenAt = this.now();
      return await this.break();
    }
    const { lasts } = WORLD_FAULT_RECORDS[this.what];
    if (lasts !== "run" && this.now() >= this.brokenAt + lasts * 1000) await this.heal();
  }

  /** Once the run has ended, however it ended. */
  async heal(): Promise<void> {
    if (this.brokenAt === undefined || this.healed) return;
    await this.deeds.heal(this.kube);
    this.healed = true;
  }

  private async break(): Promise<void> {
    const cut = cutOf(this.what);
    if (this.what === "audit-off")
      return this.deeds.breakAudit(await volumeFolder(this.kube, `audit-${POD}`));
    if (this.what === "data-full") return void this.deeds.fill(await volumeFolder(this.kube, `data-${POD}`));
    const node = await this.nodeOfServer();
    if (cut === undefined) return await cordonAndEvict(this.kube, node, SOURCE_NAMESPACE);
    const layout = nodeLayouts().find(({ name }) => name === node);
    if (layout === undefined) throw new Error(`node "${node}" is none of the rehearsal's`);
    await this.deeds.cut(layout, cut);
  }

  /** By its data volume: the pod itself may be away in the cutover. */
  private async nodeOfServer(): Promise<string> {
    const pods = `/api/v1/namespaces/${SOURCE_NAMESPACE}/pods`;
    const placed = (await this.kube.find<V1Pod & KubeObject>(`${pods}/${POD}`))?.spec?.nodeName;
    if (placed !== undefined) return placed;
    const { spec } = await claimVolume(this.kube, `data-${POD}`);
    const [term] = spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
    const node = term?.matchExpressions?.[0]?.values?.[0];
    if (node === undefined) throw new Error(`the volume of data-${POD} names no node`);
    return node;
  }
}
