// Before: the drill is over, all nodes are voters again.
// After: each ExternalSecret of the config has read from OpenBao again, as its operator says of itself: clients reach
// the moved store by the address and with the credential that they had.
import type { KubeObject } from "../../cluster/kubeClient";
import { clean } from "../../gate/observed";
import { type Step, type StepContext } from "../runStep";
import { until } from "../world";

/** external-secrets' own word: any new value makes it read at once. */
export const FORCE_SYNC = "force-sync";
const VERSIONS = ["v1", "v1beta1"];

interface ExternalSecret extends KubeObject {
  status?: {
    refreshTime?: string;
    syncedResourceVersion?: string;
    conditions?: { type: string; status: string; reason?: string }[];
  };
}

type Sample = NonNullable<StepContext["input"]["externalSecrets"]>[number];

/** What was there before the annotation, by sample: a refresh is one that came after it. */
const before = new Map<string, ExternalSecret["status"]>();

export const externalSecrets: Step = {
  id: "external-secrets",

  async observe(ctx) {
    const samples = samplesOf(ctx);
    const done = await ctx.journal.done("external-secrets");
    const read = done?.observed["refreshed"];
    if (done !== undefined && samples.every((one) => Array.isArray(read) && read.includes(nameOf(one))))
      return { state: "done", observed: done.observed };
    const found = await Promise.all(samples.map(async (one) => ({ one, path: await pathOf(ctx, one) })));
    const missing = found.filter(({ path }) => path === undefined).map(({ one }) => nameOf(one));
    return missing.length === 0
      ? { state: "todo", observed: {} }
      : {
          state: "refuse",
          hazard: "I7",
          why: `found no ExternalSecret ${missing.join(", ")}, expected each of the config; correct "openbao-migration:externalSecrets"`,
        };
  },

  async act(ctx) {
    for (const sample of samplesOf(ctx)) {
      const path = await knownPath(ctx, sample);
      before.set(nameOf(sample), (await ctx.kube.get<ExternalSecret>(path)).status);
      const annotations = { [FORCE_SYNC]: String(Date.now()) };
      await ctx.kube.mergePatch(path, { metadata: { annotations } });
      ctx.log(`${nameOf(sample)}: asked to read again`);
    }
  },

  async verify(ctx) {
    const samples = samplesOf(ctx);
    await Promise.all(samples.map((sample) => refreshed(ctx, sample)));
    return { refreshed: samples.map(nameOf) };
  },
};

async function refreshed(ctx: StepContext, sample: Sample): Promise<void> {
  const path = await knownPath(ctx, sample);
  const what = `ExternalSecret ${nameOf(sample)} to be Ready after a new read [I7]`;
  await until(what, ctx.input.podTimeoutSeconds, async () => {
    const { status } = await ctx.kube.get<ExternalSecret>(path);
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    if (ready?.status === "True" && isNewer(status, before.get(nameOf(sample)))) return { value: true };
    return {
      seen: clean(
        `Ready ${ready?.status ?? "absent"} (${ready?.reason ?? "no reason"}), refreshTime ${status?.refreshTime ?? "none"}`,
      ),
    };
  });
}

/**
 * syncedResourceVersion is made of generation, labels and annotations, so that a new one shows a read of after ours;
 * refreshTime alone, which counts whole seconds, has to be later.
 */
function isNewer(now: ExternalSecret["status"], old: ExternalSecret["status"]): boolean {
  const [newTime, oldTime] = [Date.parse(now?.refreshTime ?? ""), Date.parse(old?.refreshTime ?? "")];
  if (Number.isNaN(newTime) || newTime < oldTime) return false;
  const version = now?.syncedResourceVersion;
  return version === undefined
    ? Number.isNaN(oldTime) || newTime > oldTime
    : version !== old?.syncedResourceVersion;
}

function samplesOf(ctx: StepContext): readonly Sample[] {
  return ctx.input.externalSecrets ?? [];
}

/** The object's path in the first version that serves it. */
async function pathOf(ctx: StepContext, { namespace, name }: Sample): Promise<string | undefined> {
  for (const version of VERSIONS) {
    const path = `/apis/external-secrets.io/${version}/namespaces/${namespace}/externalsecrets/${name}`;
    if ((await ctx.kube.find(path)) !== undefined) return path;
  }
  return undefined;
}

async function knownPath(ctx: StepContext, sample: Sample): Promise<string> {
  const path = await pathOf(ctx, sample);
  if (path === undefined) throw new Error(`ExternalSecret ${nameOf(sample)} was removed meanwhile [I7]`);
  return path;
}

function nameOf({ namespace, name }: Sample): string {
  return `${namespace}/${name}`;
}

export default externalSecrets;
