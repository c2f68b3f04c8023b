import type { V1Node, V1Pod, V1StatefulSet } from "@kubernetes/client-node";
import { KubeError, type KubeObject } from "../cluster/kubeClient";
import type { StepContext } from "./runStep";
import { podsPath, until } from "./world";

/** API port (join challenge) and cluster port (replication): a follower needs both, both ways (hazard H4). */
export const PROBE_PORTS = [8200, 8201] as const;

const LABEL = "openbao-raft-migration/probe";

/** Two plain API listeners of a server with an empty in-memory store: whoever connects gets "not initialised". */
const SERVER_CONFIG = `storage "inmem" {}
listener "tcp" {
  address = "[::]:8200"
  tls_disable = true
}
listener "tcp" {
  address = "[::]:8201"
  tls_disable = true
  cluster_address = "127.0.0.1:18201"
}
`;

const SERVER_SCRIPT = `printf '%s' "$PROBE_CONFIG" > /scratch/config.hcl; exec bao server -config=/scratch/config.hcl`;

/** Exit 2 of \`bao status\` is an answer of the probe server; anything else is no connection. */
const CLIENT_SCRIPT = `
for address in $PROBE_TARGETS; do
  code=0
  bao status -address="http://$address" > /dev/null 2>&1 || code=$?
  if [ "$code" -eq 2 ] || [ "$code" -eq 0 ]; then echo "open $address"; else echo "blocked $address"; fi
done
echo complete`;

export interface ProbePod {
  readonly name: string;
  readonly node: string;
  readonly pod: V1Pod;
}

/**
 * Pure: one server pod for each of `count` schedulable nodes. They carry the labels that policies select the server
 * by, but not \`component\`, which each Service also selects: with publishNotReadyAddresses even an unready pod would
 * become an endpoint and take clients' traffic.
 */
export function probePods(statefulSet: V1StatefulSet, nodes: readonly V1Node[], count: number): ProbePod[] {
  return schedulable(nodes)
    .slice(0, count)
    .map((node, i) => ({
      name: `openbao-raft-probe-${i}`,
      node,
      pod: probePod(statefulSet, `openbao-raft-probe-${i}`, node, "server", SERVER_SCRIPT, {
        PROBE_CONFIG: SERVER_CONFIG,
      }),
    }));
}

/** Host names of nodes that take new pods. */
export function schedulable(nodes: readonly V1Node[]): string[] {
  return nodes
    .filter((node) => node.spec?.unschedulable !== true)
    .filter(
      (node) => !(node.spec?.taints ?? []).some((t) => t.effect === "NoSchedule" || t.effect === "NoExecute"),
    )
    .map((node) => node.metadata?.labels?.["kubernetes.io/hostname"] ?? node.metadata?.name ?? "")
    .sort();
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
  await Promise.all(
    probes.map((probe, i) => {
      const targets = addresses
        .filter((_, other) => other !== i)
        .flatMap((a) => PROBE_PORTS.map((p) => `${a}:${p}`));
      const client = probePod(
        statefulSet,
        `openbao-raft-probe-client-${i}`,
        probe.node,
        "client",
        CLIENT_SCRIPT,
        {
          PROBE_TARGETS: targets.join(" "),
          BAO_CLIENT_TIMEOUT: "4s",
          BAO_MAX_RETRIES: "1",
        },
      );
      return ctx.kube.create(pods, client as V1Pod & KubeObject);
    }),
  );
}

/** Waits for all clients and reads what they found. */
export async function readProbe(
  ctx: StepContext,
): Promise<{ open: number; blocked: string[]; nodes: string[] }> {
  const pods = podsPath(ctx.input.namespace);
  const all = await until<(V1Pod & KubeObject)[]>(
    "the probe clients to end",
    ctx.input.podTimeoutSeconds,
    async () => {
      const found = await ctx.kube.list<V1Pod & KubeObject>(pods, { labelSelector: LABEL });
      const clients = found.filter((pod) => pod.metadata?.labels?.[LABEL] === "client");
      const ended = clients.filter(
        (pod) => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed",
      );
      return clients.length > 0 && ended.length === clients.length
        ? { value: found }
        : { seen: `${ended.length} of ${clients.length} ended` };
    },
  );
  const nodeOf = new Map(all.map((pod) => [bracketed(pod.status?.podIP ?? ""), pod.spec?.nodeName ?? "?"]));
  const result = { open: 0, blocked: [] as string[], nodes: [] as string[] };
  for (const pod of all.filter((p) => p.metadata?.labels?.[LABEL] === "client")) {
    const log = await ctx.kube.text(`${pods}/${pod.metadata?.name}/log`);
    const from = pod.spec?.nodeName ?? "?";
    result.nodes.push(from);
    const lines = log.split("\n").filter((line) => /^(open|blocked) /.test(line));
    if (!log.includes("complete") || lines.length === 0)
      result.blocked.push(`the probe on ${from} did not finish`);
    for (const line of lines) {
      const [verdict = "", address = ""] = line.split(" ");
      const cut = address.lastIndexOf(":");
      if (verdict === "open") result.open++;
      else
        result.blocked.push(
          `${from} -> ${nodeOf.get(address.slice(0, cut)) ?? "?"} port ${address.slice(cut + 1)}`,
        );
    }
  }
  return result;
}

/** Removes all probe pods and waits until they are gone. */
export async function removeProbes(ctx: StepContext): Promise<void> {
  const pods = podsPath(ctx.input.namespace);
  const found = await ctx.kube.list<V1Pod & KubeObject>(pods, { labelSelector: LABEL });
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
    const left = await ctx.kube.list(pods, { labelSelector: LABEL });
    return left.length === 0 ? { value: true } : { seen: `${left.length} left` };
  });
}

function isReady(pod: V1Pod | undefined): boolean {
  return (pod?.status?.conditions ?? []).some((c) => c.type === "Ready" && c.status === "True");
}

function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

function probePod(
  statefulSet: V1StatefulSet,
  name: string,
  node: string,
  role: "server" | "client",
  script: string,
  environment: Readonly<Record<string, string>>,
): V1Pod {
  const template = statefulSet.spec?.template;
  const server =
    template?.spec?.containers.find((c) => c.name === "openbao") ?? template?.spec?.containers[0];
  const { component: _component, ...labels } = template?.metadata?.labels ?? {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      labels: { ...labels, [LABEL]: role, "app.kubernetes.io/managed-by": "openbao-raft-migration" },
    },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      nodeSelector: { "kubernetes.io/hostname": node },
      securityContext: {
        runAsNonRoot: true,
        seccompProfile: { type: "RuntimeDefault" },
        ...template?.spec?.securityContext,
      },
      ...(template?.spec?.tolerations && { tolerations: template.spec.tolerations }),
      ...(template?.spec?.imagePullSecrets && { imagePullSecrets: template.spec.imagePullSecrets }),
      containers: [
        {
          name: "probe",
          image: server?.image ?? "",
          imagePullPolicy: server?.imagePullPolicy ?? "IfNotPresent",
          command: ["/bin/sh", "-ec", script],
          env: Object.entries(environment).map(([key, value]) => ({ name: key, value })),
          ...(role === "server" && {
            readinessProbe: {
              httpGet: { path: "/v1/sys/health?uninitcode=200", port: PROBE_PORTS[1] },
              periodSeconds: 1,
            },
          }),
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
          volumeMounts: [{ name: "work", mountPath: "/scratch" }],
        },
      ],
      volumes: [{ name: "work", emptyDir: {} }],
    },
  };
}
