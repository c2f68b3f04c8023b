import { OpenBaoUnreachable } from "../components/cluster/openBaoClient";
import { health, openBaoInPod } from "../components/cluster/openBaoStatus";
import type { KubeClient, KubeObject } from "../components/cluster/kubeClient";
import type { Claim } from "./outcome";
import { SOURCE_NAMESPACE } from "./source/sourceCluster";
import { TLS_CA_FILE, TLS_CONFIG } from "./source/sourceTls";

const CONFIG = `/api/v1/namespaces/${SOURCE_NAMESPACE}/configmaps/openbao-config`;
const SERVER = { namespace: SOURCE_NAMESPACE, release: "openbao" };

/** What the nodes of a source with TLS say after the move. */
export interface TlsView {
  /** The config that the chart rendered for all nodes. */
  readonly config: string;
  /** HTTP status of each node over TLS by its own name, and in plain (0: no answer). */
  readonly nodes: readonly { readonly pod: string; readonly secured: number; readonly plain: number }[];
}

/** Asks each node in both ways. */
export async function readTls(kube: KubeClient, pods: readonly string[]): Promise<TlsView> {
  type ConfigMap = KubeObject & { data?: Record<string, string> };
  const { data } = await kube.get<ConfigMap>(CONFIG);
  const nodes = pods.map(async (pod) => ({
    pod,
    secured: await statusOf(kube, { ...SERVER, tls: TLS_CONFIG }, pod),
    plain: await statusOf(kube, SERVER, pod),
  }));
  return { config: data?.["extraconfig-from-values.hcl"] ?? "", nodes: await Promise.all(nodes) };
}

async function statusOf(
  kube: KubeClient,
  server: Parameters<typeof openBaoInPod>[1],
  pod: string,
): Promise<number> {
  const bao = openBaoInPod(kube, server, pod);
  try {
    return await health(bao);
  } catch (error) {
    if (error instanceof OpenBaoUnreachable) return 0;
    throw error;
  } finally {
    bao.close();
  }
}

/** Pure: TLS is as it was, for clients and between nodes. */
export function tlsClaims({ config, nodes }: TlsView): Claim[] {
  const leaders = [...config.matchAll(/leader_api_addr\s*=\s*"([^"]*)"/g)].map((match) => match[1]!);
  const trusted = [...config.matchAll(/leader_ca_cert_file\s*=\s*"([^"]*)"/g)].map((match) => match[1]!);
  const listener = /tls_cert_file\s*=/.test(config) && !/tls_disable\s*=\s*("?true"?|"?1"?)/.test(config);
  return [
    {
      claim: "the listener has TLS as before, and every node joins by https with the CA (never downgraded)",
      holds:
        listener &&
        leaders.length === 3 &&
        leaders.every((address) => address.startsWith("https://")) &&
        trusted.length === 3 &&
        trusted.every((file) => file === TLS_CA_FILE),
      seen: `${listener ? "TLS" : "no TLS"} on the listener; ${leaders.join(", ") || "no leader"}; ${trusted.length} with a CA`,
    },
    {
      claim: "each node answers over TLS by its own name, and none in plain",
      // Go's server answers 400 to plain HTTP on a TLS port.
      holds:
        nodes.length === 3 &&
        nodes.every(({ secured, plain }) => [200, 429].includes(secured) && [0, 400].includes(plain)),
      seen: nodes.map(({ pod, secured, plain }) => `${pod} ${secured}, plain ${plain}`).join("; "),
    },
  ];
}
