import type { V1EnvVar, V1Node, V1Pod, V1StatefulSet, V1Volume } from "@kubernetes/client-node";
import { fittingNodes } from "../gate/nodeFit";
import { nodeView, statefulSetView } from "../gate/readWorkload";

/** API port (join challenge) and cluster port (replication): a follower needs both, both ways (hazard H4). */
export const PROBE_PORTS = [8200, 8201] as const;

/** Label of every probe pod; its value is the pod's role. */
export const PROBE_LABEL = "openbao-raft-migration/probe";

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

/**
 * Exit 0 and 2 of \`bao status\` are a server's answer. The API server has no such path: that it answers shows in the
 * HTTP code that bao prints, whichever it is. No token is sent to anyone.
 */
const CLIENT_SCRIPT = `
answers() {
  code=0
  said=$(bao status "$@" 2>&1) || code=$?
  [ "$code" -eq 2 ] || [ "$code" -eq 0 ]
}
reason() { printf '%s' "$said" | tr -c '[:print:]' ' ' | tail -c 300; }
for address in $PROBE_TARGETS; do
  if answers -address="http://$address"; then echo "open $address"; else echo "blocked $address"; fi
done
if [ -n "$PROBE_NAME" ]; then
  set -- -address="$PROBE_NAME"
  if [ -n "$PROBE_SERVER_NAME" ]; then set -- "$@" -ca-cert=/tls/ca.crt -tls-server-name="$PROBE_SERVER_NAME"; fi
  if answers "$@"; then echo "named $PROBE_NAME"; else echo "unnamed $PROBE_NAME $(reason)"; fi
fi
if [ -f "$PROBE_API_CA" ]; then
  case "$KUBERNETES_SERVICE_HOST" in *:*) host="[$KUBERNETES_SERVICE_HOST]" ;; *) host=$KUBERNETES_SERVICE_HOST ;; esac
  api="https://$host:$KUBERNETES_SERVICE_PORT"
  if answers -address="$api" -ca-cert="$PROBE_API_CA"; then code=200; fi
  case "$code $said" in
    "200 "* | *"Code: "[1-5][0-9][0-9]*) echo "api-open $api" ;;
    *) echo "api-closed $api $(reason)" ;;
  esac
fi
echo complete`;

export interface ProbePod {
  readonly name: string;
  readonly node: string;
  readonly pod: V1Pod;
}

/** The running server, as retry_join will name it. */
export interface NamedServer {
  /** Such as http://openbao-0.openbao-internal:8200. */
  readonly url: string;
  /** With TLS: the name in the certificate, and the Secret and key of its CA. */
  readonly tls?: { readonly serverName: string; readonly caSecret: string; readonly caKey: string };
}

/**
 * Pure: one server pod for each of `count` nodes on which the StatefulSet's own pods fit. They carry the labels that
 * policies select the server by, but not \`component\`, which each Service also selects: with publishNotReadyAddresses
 * even an unready pod would become an endpoint and take clients' traffic.
 */
export function probePods(statefulSet: V1StatefulSet, nodes: readonly V1Node[], count: number): ProbePod[] {
  const fit = fittingNodes(statefulSetView(statefulSet), nodes.map(nodeView));
  return fit
    .map((node) => node.hostname)
    .sort()
    .slice(0, count)
    .map((node, i) => ({
      name: `openbao-raft-probe-${i}`,
      node,
      pod: probePod(statefulSet, `openbao-raft-probe-${i}`, node, {
        role: "server",
        script: SERVER_SCRIPT,
        environment: { PROBE_CONFIG: SERVER_CONFIG },
      }),
    }));
}

/** Pure: the client on `node`, which tries the addresses, the name of the running server, and the API server. */
export function probeClient(
  statefulSet: V1StatefulSet,
  ordinal: number,
  node: string,
  { targets, server }: { readonly targets: readonly string[]; readonly server?: NamedServer | undefined },
): V1Pod {
  return probePod(statefulSet, `openbao-raft-probe-client-${ordinal}`, node, {
    role: "client",
    script: CLIENT_SCRIPT,
    environment: {
      PROBE_TARGETS: targets.join(" "),
      PROBE_NAME: server?.url ?? "",
      PROBE_SERVER_NAME: server?.tls?.serverName ?? "",
      PROBE_API_CA: "/api/ca.crt",
      BAO_CLIENT_TIMEOUT: "4s",
      BAO_MAX_RETRIES: "1",
    },
    certificates: [
      // Every namespace has it: by it pods trust the API server.
      { path: "/api", volume: { configMap: { name: "kube-root-ca.crt", optional: true } } },
      ...(server?.tls === undefined
        ? []
        : [
            {
              path: "/tls",
              volume: {
                secret: {
                  secretName: server.tls.caSecret,
                  items: [{ key: server.tls.caKey, path: "ca.crt" }],
                },
              },
            },
          ]),
    ],
  });
}

interface Probe {
  readonly role: "server" | "client";
  readonly script: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Folders with a certificate each. */
  readonly certificates?: readonly { readonly path: string; readonly volume: Omit<V1Volume, "name"> }[];
}

function probePod(statefulSet: V1StatefulSet, name: string, node: string, probe: Probe): V1Pod {
  const template = statefulSet.spec?.template;
  const server =
    template?.spec?.containers.find((c) => c.name === "openbao") ?? template?.spec?.containers[0];
  const { component: _component, ...labels } = template?.metadata?.labels ?? {};
  const { role, script, certificates = [] } = probe;
  const env: V1EnvVar[] = Object.entries(probe.environment).map(([key, value]) => ({ name: key, value }));
  const folder = (path: string) => path.slice(1);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      labels: { ...labels, [PROBE_LABEL]: role, "app.kubernetes.io/managed-by": "openbao-raft-migration" },
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
          env,
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
          volumeMounts: [
            { name: "work", mountPath: "/scratch" },
            ...certificates.map(({ path }) => ({ name: folder(path), mountPath: path, readOnly: true })),
          ],
        },
      ],
      volumes: [
        { name: "work", emptyDir: {} },
        ...certificates.map(({ path, volume }) => ({ name: folder(path), ...volume })),
      ],
    },
  };
}
