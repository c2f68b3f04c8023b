import { ownersOf, ownerWords } from "../cluster/fieldOwners";
import { valuesAt } from "../land/committedValues";
import { landFiles } from "../land/landPlan";
import { valueDifferences, type ValueDifference } from "../land/valueDifferences";
import { OWNED_VALUES } from "../openBaoConfig/targetValues";
import type { Drift } from "./drift";
import { commitOf, sourcePlace, type FluxSource, type Kustomization } from "./fluxObjects";
import { configMapsOf, namespaceOf } from "./followedSource";
import { Refused, type StepContext } from "./runStep";
import type { HelmRelease } from "./world";

/** The Kustomization that applies the HelmRelease, while it does. */
export interface RunningOwner {
  readonly path: string;
  readonly object: Kustomization;
}

export interface ValuesLook {
  readonly drift: readonly Drift[];
  /** "all": every value was compared. "owned": only this program's, since nothing applies the file by itself. */
  readonly compared: "all" | "owned";
  /** Values that the file alone does not say, and whose only writer is who applies Git: patches of overlays, variables of Secrets. */
  readonly besides: readonly string[];
  readonly commit: string;
}

const APPLIER = "kustomize-controller";

/**
 * The landed file against the live release, value by value, as the commit says that Flux applied, or that was landed.
 * @throws LandRefusal for files or a commit that cannot be read; Refused when nothing was landed.
 */
export async function valuesLook(
  ctx: StepContext,
  release: HelmRelease,
  owner: RunningOwner | undefined,
): Promise<ValuesLook> {
  const { git, release: name, namespace, delivery } = ctx.input;
  const commit = (owner && (await appliedCommit(ctx, owner))) ?? (await landedCommit(ctx));
  if (git === undefined || commit === undefined) {
    throw new Refused(
      'the journal or "openbao-migration:git" names no landed commit; step land-git names it [I39]',
      "I39",
    );
  }
  const moreVariables = owner && (await variablesOf(ctx, owner));
  const files = {
    ...git,
    ...landFiles(git),
    release: name,
    namespace,
    ...(moreVariables && { moreVariables }),
  };
  const landed = await valuesAt(files, commit);
  const live = release.spec?.values ?? {};
  const owned = new Set(valueDifferences(landed, live, OWNED_VALUES).map(key));
  const drift: Drift[] = [];
  const besides: string[] = [];
  for (const one of valueDifferences(landed, live)) {
    if (owned.has(key(one))) drift.push(driftOf(release, one, delivery === "helm"));
    else if (delivery === "helm") {
      // Other files and --set of the user's may say more than the landed one, and nothing else than it.
      if (one.kind === "missing") besides.push(one.path.join("."));
      else drift.push(driftOf(release, one, delivery === "helm"));
    } else if (owner !== undefined) {
      // What is not there has no writer: the run of Flux that follows tells whether Git asks for it.
      if (one.kind === "extra" || isGits(release, one)) besides.push(one.path.join("."));
      else drift.push(driftOf(release, one, false));
    }
  }
  const compared = owner !== undefined || delivery === "helm" ? "all" : "owned";
  return { drift, compared, besides, commit };
}

function key({ path }: ValueDifference): string {
  return JSON.stringify(path);
}

function driftOf(release: HelmRelease, { path, kind }: ValueDifference, byHelm: boolean): Drift {
  const how = { missing: "not in Git", extra: "only in Git", different: "other than in Git" }[kind];
  const by = writersOf(release, path).map(ownerWords).join(", ");
  return {
    part: "values",
    object: `${byHelm ? "Helm release" : "HelmRelease"} ${release.metadata?.name}`,
    field: [byHelm ? "values" : "spec.values", ...path].join("."),
    how,
    ...(by !== "" && { by }),
  };
}

function writersOf(release: HelmRelease, path: readonly string[]) {
  return ownersOf(release, ["spec", "values", ...path]).filter(({ manager }) => manager !== APPLIER);
}

function isGits(release: HelmRelease, { path }: ValueDifference): boolean {
  return writersOf(release, path).length === 0 && ownersOf(release, ["spec", "values", ...path]).length > 0;
}

async function appliedCommit(ctx: StepContext, { path, object }: RunningOwner): Promise<string | undefined> {
  const place = sourcePlace(object, namespaceOf(path));
  if (place === undefined) return undefined;
  const revision = object.status?.lastAppliedRevision;
  const source =
    place.plural === "gitrepositories" && revision !== undefined
      ? { status: { artifact: { revision } } }
      : await ctx.kube.find<FluxSource>(place.path);
  return source && commitOf(source, place.plural);
}

async function landedCommit(ctx: StepContext): Promise<string | undefined> {
  const head = (await ctx.journal.done("land-git"))?.observed["head"];
  return typeof head === "string" ? head : undefined;
}

/** As Flux puts them over each other: the ConfigMaps in their order, then what the Kustomization itself says. */
async function variablesOf(
  ctx: StepContext,
  { path, object }: RunningOwner,
): Promise<Record<string, string>> {
  const maps = await configMapsOf(ctx, object, namespaceOf(path));
  const all = [...maps.values(), object.spec?.postBuild?.substitute ?? {}];
  return all.reduce<Record<string, string>>((sum, one) => ({ ...sum, ...one }), {});
}
