import { KubeError, type KubeObject } from "../cluster/kubeClient";
import { valuesAt } from "../land/committedValues";
import { differenceLine, valueDifferences } from "../land/valueDifferences";
import { OWNED_VALUES } from "../openBaoConfig/targetValues";
import { commitOf, sourcePlace, variableSaid, type FluxSource, type Kustomization } from "./fluxObjects";
import { isMarked, journaledRecord, ownerPath, RECONCILE } from "./pauseRecord";
import type { StepContext } from "./runStep";
import { until, wantedReplicas, wantsRaft, type HelmRelease } from "./world";

/** So long may source-controller take to look at its remote. */
const LOOK_SECONDS = 60;

/** Why Flux may not run yet, in words; undefined when what it follows says what is live, or when nothing follows Git. */
export async function oldGit(ctx: StepContext, release: HelmRelease): Promise<string | undefined> {
  const path = ownerPath(release);
  const { git } = ctx.input;
  if (path === undefined || git?.helmRelease === undefined) return undefined;
  const owner = await ctx.kube.get<Kustomization>(path);
  // One that the user had suspended stays so, and takes nothing back.
  const usersOwn = !isMarked(owner) || (await journaledRecord(ctx))[path]?.suspend === true;
  if (owner.spec?.suspend === true && usersOwn) return undefined;
  if (!wantsRaft(release) || wantedReplicas(release) !== ctx.input.replicas) {
    return `the live HelmRelease does not ask for Raft with ${ctx.input.replicas} replicas any more; put its values back as branch ${git.branch} has them`;
  }
  const place = sourcePlace(owner, namespaceOf(path));
  if (place === undefined) return undefined;
  const source = await lookedAgain(ctx, place.path, place.plural);
  const revision = source.status?.artifact?.revision ?? "no revision";
  const commit = commitOf(source, place.plural);
  if (commit === undefined) {
    ctx.log(`${named(place.path)} at ${revision} names no Git commit: what Flux applies from it shows`);
    return undefined;
  }
  const files = {
    ...git,
    helmRelease: git.helmRelease,
    release: ctx.input.release,
    namespace: ctx.input.namespace,
  };
  const values = await valuesAt(files, commit);
  const differences = valueDifferences(values, release.spec?.values ?? {}, OWNED_VALUES);
  if (differences.length > 0) {
    return (
      `Flux follows ${named(place.path)}${source.spec?.suspend === true ? " (suspended)" : ""} at ${revision}, ` +
      `where Git still differs from what runs: ${differences.slice(0, 6).map(differenceLine).join("; ")}. ` +
      `Expected the change set of branch ${git.branch}; Flux stays paused until then. Merge it (git push, pull request), ` +
      `then run pulumi up again`
    );
  }
  await variableArrived(ctx, path, git);
  return undefined;
}

/** Asks source-controller to look at its remote now: its interval may be long, and the merge a minute old. */
async function lookedAgain(ctx: StepContext, path: string, plural: string): Promise<FluxSource> {
  const source = await ctx.kube.get<FluxSource>(path);
  if (plural === "externalartifacts" || source.spec?.suspend === true) return source;
  const requestedAt = new Date().toISOString();
  await ctx.kube.mergePatch(path, {
    metadata: { annotations: { "reconcile.fluxcd.io/requestedAt": requestedAt } },
  });
  try {
    const seconds = Math.min(LOOK_SECONDS, ctx.input.podTimeoutSeconds);
    return await until<FluxSource>(`${named(path)} to be looked at again`, seconds, async () => {
      const value = await ctx.kube.get<FluxSource>(path);
      return value.status?.lastHandledReconcileAt === requestedAt
        ? { value }
        : { seen: value.status?.artifact?.revision ?? "no revision" };
    });
  } catch (error) {
    if (!(error instanceof KubeError && error.reason === "Timeout")) throw error;
    ctx.log(`${error.message}; it is judged as it is`);
    return ctx.kube.get<FluxSource>(path);
  }
}

/**
 * The count comes by another Kustomization than the release: with the old one Flux would ask Raft for one node, which
 * costs the quorum.
 */
async function variableArrived(
  ctx: StepContext,
  path: string,
  git: NonNullable<StepContext["input"]["git"]>,
): Promise<void> {
  if (git.variables === undefined) return;
  const wanted = String(ctx.input.replicas);
  await parentBrings(ctx, path, git.replicasVariable, wanted);
  const what = `the variables of ${named(path)} in the cluster to say ${git.replicasVariable}: "${wanted}", as Git does (does the Kustomization run that applies them?)`;
  await until(what, ctx.input.podTimeoutSeconds, async () => {
    const owner = await ctx.kube.get<Kustomization>(path);
    const said = variableSaid(owner, git.replicasVariable, await configMapsOf(ctx, owner, namespaceOf(path)));
    return said === undefined || said === wanted ? { value: true } : { seen: `"${said}"` };
  });
}

/** A variable that is written in the Kustomization itself comes by its parent, which the pause keeps away. */
async function parentBrings(ctx: StepContext, path: string, name: string, wanted: string): Promise<void> {
  const owner = await ctx.kube.get<Kustomization>(path);
  const own = owner.spec?.postBuild?.substitute?.[name];
  if (own === undefined || own === wanted || !isMarked(owner)) return;
  const before = (await journaledRecord(ctx))[path];
  ctx.log(`${named(path)} itself says ${name}: "${own}"; its parent may apply it again`);
  await ctx.fence.assertHeld();
  await ctx.kube.mergePatch(path, { metadata: { annotations: { [RECONCILE]: before?.reconcile ?? null } } });
}

/** Data of the ConfigMaps among the Kustomization's variables, by name. */
export async function configMapsOf(
  ctx: StepContext,
  owner: Kustomization,
  namespace: string,
): Promise<Map<string, Record<string, string>>> {
  const found = new Map<string, Record<string, string>>();
  for (const { kind, name } of owner.spec?.postBuild?.substituteFrom ?? []) {
    if (kind !== "ConfigMap" || name === undefined) continue;
    const path = `/api/v1/namespaces/${namespace}/configmaps/${name}`;
    const object = await ctx.kube.find<KubeObject & { data?: Record<string, string> }>(path);
    if (object?.data !== undefined) found.set(name, object.data);
  }
  return found;
}

/** `flux-system` of `/apis/GROUP/v1/namespaces/flux-system/PLURAL/NAME`. */
export function namespaceOf(path: string): string {
  return path.split("/").at(-3) ?? "";
}

/** `gitrepositories/flux-system` of an API path. */
export function named(path: string): string {
  return path.split("/").slice(-2).join("/");
}
