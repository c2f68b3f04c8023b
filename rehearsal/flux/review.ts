import { currentEntries, readJournal, type JournalEntry } from "../../components/cluster/journal";
import type { KubeClient, KubeObject } from "../../components/cluster/kubeClient";
import type { PulumiRun } from "../pulumiStack";
import type { Claim } from "../outcome";
import { SOURCE_NAMESPACE } from "../source/sourceCluster";
import { LANDED_BRANCH, RAFT_POLICY } from "../landedClaims";
import { waitFor } from "../cluster/waitFor";
import { KUSTOMIZATIONS, OWNER, PARENT, SOURCE } from "./objects";
import { driftClaims, readDrift } from "../driftClaims";
import { hasBranch, MAIN, mainSays, squashMerge } from "./reviewedRepository";

const RELEASE = `/apis/helm.toolkit.fluxcd.io/v2/namespaces/${SOURCE_NAMESPACE}/helmreleases/openbao`;
const STATEFUL_SET = `/apis/apps/v1/namespaces/${SOURCE_NAMESPACE}/statefulsets/openbao`;
const PODS = `/api/v1/namespaces/${SOURCE_NAMESPACE}/pods`;
const SETTLED_SECONDS = 180;

type FluxObject = KubeObject & {
  spec?: { suspend?: boolean };
  status?: {
    observedGeneration?: number;
    lastAppliedRevision?: string;
    lastHandledReconcileAt?: string;
    artifact?: { revision?: string };
    history?: { lastReconciled?: string }[];
    conditions?: { type: string; status: string; message?: string }[];
  };
};

/** What was seen at the review, between the first `pulumi up` of stage land and the second. */
interface Review {
  readonly saidBefore: string;
  readonly heldExit: number;
  readonly heldWords: string;
  readonly paused: boolean;
  readonly parentRan: ParentRan;
  readonly pods: readonly string[];
  /** Uid of the NetworkPolicy openbao-raft. */
  readonly policy: string;
  readonly merged: string;
}

type ParentRan = Pick<Claim, "holds" | "seen">;

/** Pure: whether the parent's newest run ended after the child was paused; runs of before prove nothing. */
export function ranSincePause(lastRun: string | undefined, journal: readonly JournalEntry[]): ParentRan {
  const pause = currentEntries(journal).findLast(
    ({ step, beat }) => step === "pause" && ["done", "found"].includes(beat),
  );
  return {
    holds: pause !== undefined && Date.parse(lastRun ?? "") > Date.parse(pause.time),
    seen: `paused at ${pause?.time ?? "an unknown time"}, last run at ${lastRun ?? "an unknown time"}`,
  };
}

/** The harness as reviewer: sees that landing waits for the merge, merges, and judges Flux afterwards. */
export class FluxReview {
  private review: Review | undefined;

  constructor(
    private readonly kube: KubeClient,
    private readonly bare: string,
    private readonly log: (line: string) => void,
  ) {}

  /** @param held the first `pulumi up` of stage land. @throws Error when the branch was not pushed. */
  async merge(held: PulumiRun): Promise<void> {
    const saidBefore = await mainSays(this.bare);
    const owner = await this.kube.get<FluxObject>(`${KUSTOMIZATIONS}/${OWNER}`);
    const release = await this.kube.get<FluxObject>(RELEASE);
    const parent = await this.kube.get<FluxObject>(`${KUSTOMIZATIONS}/${PARENT}`);
    const journal = await readJournal(this.kube, SOURCE_NAMESPACE);
    const pods = await this.podLines();
    const policy = await this.kube.get<FluxObject>(RAFT_POLICY);
    if (!(await hasBranch(this.bare, LANDED_BRANCH))) {
      throw new Error(`stage land did not push branch ${LANDED_BRANCH}: ${held.output.slice(-3000)}`);
    }
    const merged = await squashMerge(this.bare, LANDED_BRANCH);
    this.review = {
      saidBefore,
      heldExit: held.code,
      heldWords: /Flux follows [^\n]*?\[F69\]/.exec(held.output)?.[0] ?? "no refusal of step resume",
      paused: owner.spec?.suspend === true && release.spec?.suspend === true,
      parentRan: ranSincePause(parent.status?.history?.[0]?.lastReconciled, journal),
      pods,
      policy: policy.metadata?.uid ?? "",
      merged,
    };
    this.log(
      `land was held (exit ${held.code}); the reviewer merged ${LANDED_BRANCH} as ${merged.slice(0, 12)}`,
    );
  }

  /** Makes Flux run once more over everything, and says what it did. */
  async claims(): Promise<Claim[]> {
    const { review } = this;
    if (review === undefined) throw new Error("no review took place: this is a bug");
    const said = await mainSays(this.bare);
    const owner = await this.ready(`${KUSTOMIZATIONS}/${OWNER}`);
    const release = await this.ready(RELEASE);
    const before = await this.generations();
    for (const path of [`${SOURCE}/${PARENT}`, `${KUSTOMIZATIONS}/${PARENT}`, `${KUSTOMIZATIONS}/${OWNER}`])
      await this.runAgain(path);
    await this.ready(`${KUSTOMIZATIONS}/${OWNER}`);
    const after = await this.generations();
    const pods = await this.podLines();
    const revision = owner.status?.lastAppliedRevision ?? "none";
    const policy = await this.kube.get<FluxObject>(RAFT_POLICY);
    const owners = policy.metadata?.labels?.["kustomize.toolkit.fluxcd.io/name"] ?? "nobody";
    const running = owner.spec?.suspend !== true && release.spec?.suspend !== true;
    return [
      {
        claim: "Git said standalone before the merge, and says Raft with three replicas after it",
        holds: review.saidBefore === "standalone" && said === "raft with 3 replicas",
        seen: `${review.saidBefore}, then ${said}`,
      },
      {
        claim: "landing left Flux paused until the change set was merged (F69)",
        holds: review.heldExit !== 0 && review.paused && review.heldWords.startsWith("Flux follows"),
        seen: `exit ${review.heldExit}: ${review.heldWords.slice(0, 200)}`,
      },
      {
        claim: "the Kustomization above ran all the while, and its child stayed suspended",
        holds: review.paused && review.parentRan.holds,
        seen: `Kustomization ${PARENT}: ${review.parentRan.seen}`,
      },
      {
        claim: "Flux runs again and is ready at the merged revision",
        holds: running && revision.endsWith(review.merged),
        seen: `Kustomization ${OWNER} ready at ${revision}`,
      },
      {
        claim: "another run of Flux over Git changes nothing",
        holds: before === after,
        seen: before === after ? before : `${before}, then ${after}`,
      },
      {
        claim: "Flux took the NetworkPolicy openbao-raft over as it was",
        holds: owners === OWNER && policy.metadata?.uid === review.policy && policy.metadata.generation === 1,
        seen: `applied by ${owners}, ${policy.metadata?.uid === review.policy ? "the same" : "another"} object, generation ${policy.metadata?.generation}`,
      },
      {
        claim: "no server pod was restarted by landing",
        holds: review.pods.length === 3 && review.pods.join() === pods.join(),
        seen: pods.join(", "),
      },
      ...driftClaims(
        await readDrift(this.kube, { folder: this.bare, ref: MAIN, delivery: "flux", applied: true }),
      ),
    ];
  }

  private async generations(): Promise<string> {
    const [release, set] = await Promise.all([
      this.kube.get<FluxObject>(RELEASE),
      this.kube.get<FluxObject>(STATEFUL_SET),
    ]);
    return `HelmRelease generation ${release.metadata?.generation}, StatefulSet generation ${set.metadata?.generation}`;
  }

  /** Name, start and restarts of each server pod. */
  private async podLines(): Promise<string[]> {
    type Pod = KubeObject & { status?: { containerStatuses?: { restartCount: number }[] } };
    const pods = await this.kube.list<Pod>(PODS, { labelSelector: "component=server" });
    return pods
      .map(({ metadata, status }) => {
        const restarts = status?.containerStatuses?.reduce((sum, one) => sum + one.restartCount, 0) ?? 0;
        return `${metadata?.name} ${metadata?.uid?.slice(0, 8)} restarts ${restarts}`;
      })
      .sort();
  }

  private ready(path: string): Promise<FluxObject> {
    return waitFor(`${path.split("/").slice(-2).join("/")} to be ready`, SETTLED_SECONDS, async () => {
      const object = await this.kube.get<FluxObject>(path);
      const ready = object.status?.conditions?.find((one) => one.type === "Ready");
      const current = object.status?.observedGeneration === object.metadata?.generation;
      if (ready?.status === "True" && current) return object;
      throw new Error(`${ready?.status} ${ready?.message ?? ""}`);
    });
  }

  private async runAgain(path: string): Promise<void> {
    const requestedAt = new Date().toISOString();
    await this.kube.mergePatch(path, {
      metadata: { annotations: { "reconcile.fluxcd.io/requestedAt": requestedAt } },
    });
    await waitFor(`Flux to run ${path.split("/").at(-1)} again`, SETTLED_SECONDS, async () => {
      const object = await this.kube.get<FluxObject>(path);
      return object.status?.lastHandledReconcileAt === requestedAt;
    });
  }
}
