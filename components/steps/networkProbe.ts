import type { V1Pod, V1StatefulSet } from "@kubernetes/client-node";
import { KubeError, type KubeObject } from "../cluster/kubeClient";
import { clean } from "../gate/observed";
import { probeClient, PROBE_LABEL, PROBE_PORTS, type NamedServer, type ProbePod } from "./probePods";
import type { StepContext } from "./runStep";
import type { StepInput } from "./stepInput";
import { podsPath, until } from "./world";

/** What the clients found. */
export interface ProbeResult {
  /** Connections that were made. */
  open: number;
  nodes: string[];
  /** Ports that do not answer, each as NODE -> NODE port N. */
  blocked: string[];
  /** Nodes from which the running server answers by its name. */
  named: string[];
  /** From where it does not, and what bao says of it. */
  unnamed: string[];
  /** Nodes from which the API server answers. */
  api: string[];
  apiClosed: string[];
}

/** Starts the servers, waits for their addresses, then starts one client a node that tries every other address. */
export async function startProbes(ctx: StepContext, probes: readonly ProbePod[]): Promise<void> {
  const pods = podsPath(ctx.input.namespace);
  await Promise.all(probes.map((probe) => ctx.kube.create(pods, probe.pod as V1Pod & KubeObject)));
  const running = await Promise.all(
    probes.map((probe) =>
      ctx.kube.waitFor<V1Pod & KubeObject>(pods, probe.name, (pod) => isReady(pod), {
        what: `probe pod ${probe.name} on ${probe.node} to answer on both ports`,
        // A node may have to pull the image first.
        timeoutSeconds: ctx.input.podTimeoutSeconds,
      }),
    ),
  );
  const addresses = running.map((pod) => bracketed(pod?.status?.podIP ?? ""));
  const statefulSet = await ctx.kube.get<V1StatefulSet & KubeObject>(
    `/apis/apps/v1/namespaces/${ctx.input.namespace}/statefulsets/${ctx.input.release}`,
  );
  const server = await runningServer(ctx);
  await Promise.all(
    probes.map((probe, i) => {
      const targets = addresses
        .filter((_, other) => other !== i)
        .flatMap((a) => PROBE_PORTS.map((p) => `${a}:${p}`));
      const client = probeClient(statefulSet, i, probe.node, { targets, server });
      return ctx.kube.create(pods, client as V1Pod & KubeObject);
    }),
  );
}

/** The one name of retry_join that exists before the followers do; undefined while the server is not ready. */
async function runningServer({ kube, input }: StepContext): Promise<NamedServer | undefined> {
  const { namespace, release } = input;
  const pod = await kube.find<V1Pod & KubeObject>(`${podsPath(namespace)}/${release}-0`);
  const gone = !isReady(pod) || pod?.metadata?.deletionTimestamp !== undefined;
  return gone ? undefined : namedServer(input);
}

/** Pure: `<release>-0` by its name in the headless Service. */
export function namedServer({ release, tls }: Pick<StepInput, "release" | "tls">): NamedServer {
  const host = `${release}-0.${release}-internal`;
  if (tls === undefined) return { url: `http://${host}:${PROBE_PORTS[0]}` };
  const { caSecret, caKey, serverName = host } = tls;
  return { url: `https://${host}:${PROBE_PORTS[0]}`, tls: { serverName, caSecret, caKey } };
}

/** Waits for all clients and reads what they found. */
export async function readProbe(ctx: StepContext): Promise<ProbeResult> {
  const pods = podsPath(ctx.input.namespace);
  const all = await until<(V1Pod & KubeObject)[]>(
    "the probe clients to end",
    ctx.input.podTimeoutSeconds,
    async () => {
      const found = await ctx.kube.list<V1Pod & KubeObject>(pods, { labelSelector: PROBE_LABEL });
      const clients = found.filter((pod) => pod.metadata?.labels?.[PROBE_LABEL] === "client");
      const ended = clients.filter(
        (pod) => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed",
      );
      return clients.length > 0 && ended.length === clients.length
        ? { value: found }
        : { seen: `${ended.length} of ${clients.length} ended` };
    },
  );
  const nodeOf = new Map(all.map((pod) => [bracketed(pod.status?.podIP ?? ""), pod.spec?.nodeName ?? "?"]));
  const result: ProbeResult = {
    open: 0,
    nodes: [],
    blocked: [],
    named: [],
    unnamed: [],
    api: [],
    apiClosed: [],
  };
  for (const pod of all.filter((p) => p.metadata?.labels?.[PROBE_LABEL] === "client")) {
    const log = await ctx.kube.text(`${pods}/${pod.metadata?.name}/log`);
    addFindings(result, pod.spec?.nodeName ?? "?", log, nodeOf);
  }
  return result;
}

function addFindings(
  result: ProbeResult,
  from: string,
  log: string,
  nodeOf: ReadonlyMap<string, string>,
): void {
  result.nodes.push(from);
  const lines = log.split("\n");
  if (!lines.includes("complete") || !lines.some((line) => /^(open|blocked) /.test(line)))
    result.blocked.push(`the probe on ${from} did not finish`);
  for (const line of lines) {
    const [verdict = "", address = "", ...words] = line.split(" ");
    const cut = address.lastIndexOf(":");
    const why = `${from} -> ${address}: ${clean(words.join(" ") || "no answer", 300)}`;
    if (verdict === "open") result.open++;
    if (verdict === "blocked") {
      const to = nodeOf.get(address.slice(0, cut)) ?? "?";
      result.blocked.push(`${from} -> ${to} port ${clean(address.slice(cut + 1), 20)}`);
    }
    if (verdict === "named") result.named.push(from);
    if (verdict === "unnamed") result.unnamed.push(why);
    if (verdict === "api-open") result.api.push(from);
    if (verdict === "api-closed") result.apiClosed.push(why);
  }
}

/** Removes all probe pods and waits until they are gone. */
export async function removeProbes(ctx: StepContext): Promise<void> {
  const pods = podsPath(ctx.input.namespace);
  const found = await ctx.kube.list<V1Pod & KubeObject>(pods, { labelSelector: PROBE_LABEL });
  await Promise.all(
    found.map(async (pod) => {
      try {
        await ctx.kube.remove(`${pods}/${pod.metadata?.name}`, { gracePeriodSeconds: 0 });
      } catch (error) {
        // Gone meanwhile is gone.
        if (!(error instanceof KubeError) || error.status !== 404) throw error;
      }
    }),
  );
  await until("the probe pods to be gone", ctx.input.podTimeoutSeconds, async () => {
    const left = await ctx.kube.list(pods, { labelSelector: PROBE_LABEL });
    return left.length === 0 ? { value: true } : { seen: `${left.length} left` };
  });
}

function isReady(pod: V1Pod | undefined): boolean {
  return (pod?.status?.conditions ?? []).some((c) => c.type === "Ready" && c.status === "True");
}

function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
