import { record } from "../cluster/openBaoStatus";
import { Refused, type StepContext } from "../steps/runStep";
import { until } from "../steps/world";
import { subcharts, withChart } from "./helmChart";
import {
  deployedOf,
  helmRecord,
  helmRevisions,
  isPending,
  labelFor,
  REVISION_LABEL,
  secretsPath,
  withStatus,
  type HelmRevision,
} from "./helmRecord";
import { readRelease } from "./releaseReader";
import { HelmError, runHelm, upgradeArgs } from "./runHelm";

/** So long a revision that this program began may be in progress before its Helm counts as dead. */
const PENDING_SECONDS = 30;
/** Helm's own bound is for hooks; this one ends a Helm that hangs. */
const GRACE_MS = 60_000;

/**
 * Upgrades the release with the chart as it is recorded and the values that are asked for, as a revision that carries
 * this program's label. Helm waits for no pod: the server is sealed or down on purpose (hazard I8).
 * @throws Refused when Helm refuses, or when somebody else's operation is in progress (hazard F54).
 */
export async function upgradeRelease(ctx: StepContext): Promise<void> {
  const revisions = await endPending(ctx);
  const deployed = deployedOf(revisions);
  const newest = revisions.at(-1);
  if (deployed === undefined || newest === undefined) {
    throw new Refused(`Helm knows no release "${ctx.input.release}" any more [F54]`, "F54");
  }
  const { chart } = helmRecord(deployed);
  const lost = subcharts(chart);
  if (lost.length > 0) {
    throw new Refused(
      `the chart has subcharts (${lost.join(", ")}), which Helm does not record; expected a chart without any [F54]`,
      "F54",
    );
  }
  const values = record((await readRelease(ctx.kube, ctx.input)).spec?.values);
  await ctx.fence.assertHeld();
  const seconds = ctx.input.podTimeoutSeconds;
  const args = [
    // Helm's own limit would prune the revision to which a person may want to go back.
    ...["--history-max", "0", "--timeout", `${seconds}s`],
    ...["--labels", `${REVISION_LABEL}=${labelFor(newest.revision + 1)}`],
    ...["--description", `openbao-raft-migration: step ${ctx.input.step}`],
  ];
  try {
    await withChart(chart, (folder) =>
      runHelm(upgradeArgs(ctx.input, folder, args), values, seconds * 1000 + GRACE_MS),
    );
  } catch (error) {
    if (!(error instanceof HelmError)) throw error;
    // Never Helm's own words, which go to the journal and Pulumi's log: they may quote a rendered value.
    throw new Refused(
      `Helm could not apply the release: ${error.summary}; the same command by hand with --dry-run=server says why [F54]`,
      "F54",
    );
  }
}

/**
 * Gives the revisions once none is in progress. One that this program began, and whose Helm was killed, is marked as
 * failed, as Helm does when it is told to stop: Helm refuses every later upgrade otherwise.
 */
async function endPending(ctx: StepContext): Promise<HelmRevision[]> {
  const look = () => helmRevisions(ctx.kube, ctx.input);
  const first = await look();
  if (!first.some(isPending)) return first;
  const limit = Math.min(PENDING_SECONDS, ctx.input.podTimeoutSeconds);
  try {
    return await until<HelmRevision[]>("Helm to end what it does", limit, async () => {
      const seen = await look();
      const pending = seen.find(isPending);
      return pending === undefined
        ? { value: seen }
        : { seen: `revision ${pending.revision} ${pending.status}` };
    });
  } catch {
    // Judged by what is there after the wait, below.
  }
  for (const pending of (await look()).filter(isPending)) {
    if (!pending.ours) {
      throw new Refused(
        `revision ${pending.revision} of the Helm release is ${pending.status}, and this program did not begin it; expected deployed. Let it end, or helm rollback ${ctx.input.release} to the last deployed revision [F54]`,
        "F54",
      );
    }
    await ctx.fence.assertHeld();
    const ended = withStatus(pending, "failed", "openbao-raft-migration: the run that began it was killed");
    await ctx.kube.replace(`${secretsPath(ctx.input.namespace)}/${ended.metadata?.name}`, ended);
  }
  return look();
}
