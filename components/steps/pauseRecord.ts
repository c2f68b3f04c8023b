import type { V1CronJob } from "@kubernetes/client-node";
import type { KubeObject } from "../cluster/kubeClient";
import { conflictWords, fieldConflicts, OWNERS_ANNOTATION, whoResumed } from "./fieldConflicts";
import { rollbackState } from "./rollbackState";
import type { StepContext } from "./runStep";
import { HELD_SECRET, REVISION_ANNOTATION } from "../delivery/heldRelease";
import { foreignRevisions, readRelease, releasePath } from "../delivery/releaseReader";
import { APPLYING_ANNOTATION, observeWorld, PAUSED_ANNOTATION, type HelmRelease } from "./world";

/** What can be suspended: Kustomization, HelmRelease, CronJob. */
export interface Suspendable extends KubeObject {
  spec?: { suspend?: boolean };
}

export interface Writer {
  readonly path: string;
  readonly object: Suspendable;
}

/** What one writer said before this program paused it; absent is not the same as false. */
export interface BeforePause {
  readonly suspend?: boolean;
  /** Value of kustomize-controller's `reconcile` annotation. */
  readonly reconcile?: string;
}

/** By API path; journaled before the first write, and what `resume` puts back. */
export type PauseRecord = Readonly<Record<string, BeforePause>>;

/** Tells kustomize-controller to leave this one object alone, even when a parent runs again. */
export const RECONCILE = "kustomize.toolkit.fluxcd.io/reconcile";

/** Labels with which kustomize-controller marks what it applies. */
const OWNER_NAME = "kustomize.toolkit.fluxcd.io/name";
const OWNER_NAMESPACE = "kustomize.toolkit.fluxcd.io/namespace";

/** API path of the Kustomization that applies the HelmRelease, or undefined when none does. */
export function ownerPath(release: HelmRelease): string | undefined {
  const labels = release.metadata?.labels ?? {};
  const [name, namespace] = [labels[OWNER_NAME], labels[OWNER_NAMESPACE]];
  if (name === undefined || namespace === undefined) return undefined;
  return kustomizationPath(namespace, name);
}

export function kustomizationPath(namespace: string, name: string): string {
  return `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${namespace}/kustomizations/${name}`;
}

/** Every writer, in the order in which they are paused: a parent that runs in between would drop a child's `suspend`. */
export async function writersOf(ctx: StepContext): Promise<Writer[]> {
  const path = releasePath(ctx.input);
  const release = await readRelease(ctx.kube, ctx.input);
  const owner = ownerPath(release);
  const cronJobs = `/apis/batch/v1/namespaces/${ctx.input.namespace}/cronjobs`;
  const jobs = await ctx.kube.list<V1CronJob & KubeObject>(cronJobs);
  return [
    ...(owner === undefined ? [] : [{ path: owner, object: await ctx.kube.get<Suspendable>(owner) }]),
    { path, object: release },
    ...jobs.map((object) => ({ path: `${cronJobs}/${object.metadata?.name}`, object })),
  ];
}

/** This program's mark is on it. */
export function isMarked(object: Suspendable): boolean {
  return object.metadata?.annotations?.[PAUSED_ANNOTATION] !== undefined;
}

/** Of `writersOf`: it applies the HelmRelease. */
export function isOwner({ path }: Writer): boolean {
  return path.includes("/kustomizations/");
}

export function isPaused(release: HelmRelease): boolean {
  return release.spec?.suspend === true && isMarked(release);
}

/** Suspended, marked, and left alone by a parent whose Git says `suspend: false` for it (I38). */
export function isOwnerPaused(owner: Suspendable): boolean {
  const left = owner.metadata?.annotations?.[RECONCILE] === "disabled";
  return owner.spec?.suspend === true && isMarked(owner) && left;
}

/** Merge patch that holds a Kustomization, also against the Kustomization that applies it. */
export function ownerPause(holder: string) {
  return {
    metadata: { annotations: { [PAUSED_ANNOTATION]: holder, [RECONCILE]: "disabled" } },
    spec: { suspend: true },
  };
}

/** Merge patch that takes the mark off and puts `suspend` back; a field that was absent goes again. */
export function unmarked(before: BeforePause | undefined) {
  return {
    metadata: { annotations: { [PAUSED_ANNOTATION]: null } },
    spec: { suspend: before?.suspend ?? null },
  };
}

/** The same for the Kustomization, whose parent takes it over again with it. */
export function ownerUnmarked(before: BeforePause | undefined) {
  const patch = unmarked(before);
  const annotations = { ...patch.metadata.annotations, [RECONCILE]: before?.reconcile ?? null };
  return { ...patch, metadata: { annotations } };
}

/** The newest record in the journal, of the pause or of a rollback that paused anew; empty when there is none. */
export async function journaledRecord(ctx: StepContext): Promise<PauseRecord> {
  const pauses = (await ctx.journal.entries()).filter(
    ({ step, beat }) => ["pause", "rollback-begin"].includes(step) && beat === "act",
  );
  const records = pauses.map((entry) => entry.observed["before"]);
  return (records.findLast((before) => before !== undefined) ?? {}) as PauseRecord;
}

/**
 * What to put back later. A marked object is asked from the journal: by now it says what this program wrote. With
 * `keep` the journal counts for all that it names, since what is live may be what somebody else made of the pause.
 */
export async function recordBefore(
  ctx: StepContext,
  writers: readonly Writer[],
  keep: boolean,
): Promise<PauseRecord> {
  const known = await journaledRecord(ctx);
  return Object.fromEntries(
    writers.map(({ path, object }) => {
      const earlier = keep || isMarked(object) ? known[path] : undefined;
      return [path, earlier ?? (isMarked(object) ? {} : saidBy(object))];
    }),
  );
}

function saidBy(object: Suspendable): BeforePause {
  const reconcile = object.metadata?.annotations?.[RECONCILE];
  return {
    ...(object.spec?.suspend !== undefined && { suspend: object.spec.suspend }),
    ...(reconcile !== undefined && { reconcile }),
  };
}

/**
 * Names of writers that are not suspended though the pause needs them to be: somebody resumed them.
 * @param release API path of the release
 */
export function resumedBySomebody(writers: readonly Writer[], release: string): string[] {
  return writers
    .filter(({ object }) => object.spec?.suspend !== true)
    .filter(({ path, object }) => {
      // Our own, cut off while Flux was let to apply the HelmRelease once.
      if (object.metadata?.annotations?.[APPLYING_ANNOTATION] !== undefined) return false;
      return isMarked(object) || path.includes("/kustomizations/") || path === release;
    })
    .map(({ path, object }) => {
      const who = whoResumed(object);
      return who === undefined ? shortName(path) : `${shortName(path)} (${who})`;
    });
}

/**
 * True once step resume has begun to give back what was paused: all is in Git then, and there is no way back. It may have
 * died in between, and a run that lost Pulumi's state comes by every step again (F5).
 */
export async function hasResumed(ctx: StepContext): Promise<boolean> {
  return rollbackState(await ctx.journal.entries()).landedAt !== undefined;
}

/**
 * Undefined while the pause holds, and after landing, when it is over. A step after the stop must not act beside Flux,
 * and must not flip back with what this program knew when it paused: it holds, and a person looks (hazard F53).
 */
export async function pauseBroken(ctx: StepContext): Promise<string | undefined> {
  if (await hasResumed(ctx)) return undefined;
  const writers = await writersOf(ctx);
  const resumed = resumedBySomebody(writers, releasePath(ctx.input));
  if (resumed.length === 0) return takenBySomebody(ctx, writers) ?? (await upgradedBySomebody(ctx));
  return (
    `somebody resumed ${resumed.join(", ")} in the middle of the migration, expected all to stay suspended. ` +
    `Nothing is changed. Set spec.suspend: true there, look whether the HelmRelease's values still are what the ` +
    `preview shows, and run again`
  );
}

/** Judged before a values layer is applied by force, and after it: what was forced away has left no trace. */
function takenBySomebody(ctx: StepContext, writers: readonly Writer[]): string | undefined {
  const release = writers.find(({ path }) => path === releasePath(ctx.input))?.object as HelmRelease;
  const conflicts = fieldConflicts(release, ownerPath(release) !== undefined);
  if (conflicts.length === 0) return undefined;
  return (
    `somebody wrote what this program writes on the HelmRelease, after the pause: ` +
    `${conflicts.map(conflictWords).join("; ")}; expected no other writer. Nothing is forced. Stop that writer, and look ` +
    `whether the values still are what the preview shows. To let them count, remove the annotation ` +
    `${OWNERS_ANNOTATION}, and run again`
  );
}

async function upgradedBySomebody(ctx: StepContext): Promise<string | undefined> {
  const others = await foreignRevisions(ctx.kube, ctx.input);
  if (others === undefined) return undefined;
  return (
    `somebody else upgraded the Helm release in the middle of the migration: revision ${others}. Nothing is changed. ` +
    `Look at helm history and helm get values; what it asks for counts from then on. If it may stand, set the annotation ` +
    `${REVISION_ANNOTATION} of Secret "${HELD_SECRET}" to the newest revision, and run again`
  );
}

/** True once the server was stopped, or runs on Raft: from here on a resumed Flux does harm. */
export async function isMidway(ctx: StepContext): Promise<boolean> {
  // Of a pause that was killed at its end, the next run has found the work done.
  const paused = (await ctx.journal.entries()).some(
    ({ step, beat }) => step === "pause" && ["done", "found"].includes(beat),
  );
  if (!paused) return false;
  const { moved, flipped, statefulSet } = await observeWorld(ctx);
  return moved || flipped || statefulSet.spec?.replicas === 0;
}

/** `helmreleases/openbao` of an API path. */
function shortName(path: string): string {
  return path.split("/").slice(-2).join("/");
}
