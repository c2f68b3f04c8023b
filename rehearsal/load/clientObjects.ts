import { gzipSync } from "node:zlib";
import type { KubeObject } from "../../components/cluster/kubeClient";

export const LOAD_NAMESPACE = "openbao-client";
export const LOAD_POD = "openbao-client";
/** Holds the load's own narrow token, key `token`; the source's install makes it. */
export const LOAD_TOKEN_SECRET = "openbao-client-token";
/** Pods with this label may reach OpenBao's port 8200 (platform/…/networkpolicy.yaml). */
export const CLIENT_LABEL = { "openbao-client": "true" } as const;

/** A ConfigMap holds 1 MiB at most. */
const PART_BYTES = 700 * 1024;

/** How the load runs. */
export interface LoadSettings {
  /** Image with a shell, cat, gunzip and chmod; the server's own has them, and every cluster here has that one. */
  readonly image: string;
  /** KV v2 path to write below, without `data/`: `secret/load/<run>`. */
  readonly prefix: string;
  /** Milliseconds between two writes. */
  readonly intervalMs: number;
  /** Milliseconds, bound of one attempt. */
  readonly timeoutMs: number;
  /** Whether it talks TLS and trusts the CA beside its token. @default false */
  readonly tls?: boolean;
}

/** The ConfigMaps that carry the client, so that no cluster needs an image of ours. */
export function clientParts(
  binary: Buffer,
  owner: string = LOAD_POD,
): (KubeObject & { binaryData: Record<string, string> })[] {
  const packed = gzipSync(binary, { level: 9 });
  const count = Math.ceil(packed.length / PART_BYTES);
  return Array.from({ length: count }, (_, at) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: partName(at, owner), namespace: LOAD_NAMESPACE },
    binaryData: { [partKey(at)]: packed.subarray(at * PART_BYTES, (at + 1) * PART_BYTES).toString("base64") },
  }));
}

/** The client's pod; it runs once and is never restarted, so that its log is one run. */
export function clientPod(parts: number, settings: LoadSettings): KubeObject & { spec: object } {
  const [mount, ...rest] = settings.prefix.split("/");
  const program = [
    "/tmp/load-client",
    `-prefix=${[mount, "data", ...rest].join("/")}`,
    `-interval=${settings.intervalMs}ms`,
    `-timeout=${settings.timeoutMs}ms`,
    ...(settings.tls === true ? ["-ca-file=/token/ca.crt"] : []),
  ];
  const unpack = 'cat /parts/* | gunzip > /tmp/load-client && chmod 0755 /tmp/load-client && exec "$@"';
  const sources = Array.from({ length: parts }, (_, at) => ({ configMap: { name: partName(at) } }));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: LOAD_POD, namespace: LOAD_NAMESPACE, labels: { ...CLIENT_LABEL, app: LOAD_POD } },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 10,
      securityContext: { runAsNonRoot: true, runAsUser: 100, runAsGroup: 1000, fsGroup: 1000 },
      containers: [
        {
          name: "client",
          image: settings.image,
          imagePullPolicy: "IfNotPresent",
          command: ["/bin/sh", "-ec", unpack, "unpack", ...program],
          resources: { requests: { cpu: "20m", memory: "32Mi" } },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
          volumeMounts: [
            { name: "parts", mountPath: "/parts", readOnly: true },
            { name: "token", mountPath: "/token", readOnly: true },
            { name: "tmp", mountPath: "/tmp" },
          ],
        },
      ],
      volumes: [
        { name: "parts", projected: { sources } },
        { name: "token", secret: { secretName: LOAD_TOKEN_SECRET, defaultMode: 0o440 } },
        { name: "tmp", emptyDir: {} },
      ],
    },
  };
}

function partKey(at: number): string {
  return `part-${String(at).padStart(3, "0")}`;
}

function partName(at: number, owner: string = LOAD_POD): string {
  return `${owner}-${partKey(at)}`;
}
