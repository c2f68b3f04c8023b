import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  KubeError,
  kubeClient,
  loadKubeConfig,
  type KubeClient,
  type KubeObject,
} from "../../components/cluster/kubeClient";
import { clientBinary } from "./clientBinary";
import { clientParts, clientPod, LOAD_NAMESPACE, LOAD_POD, type LoadSettings } from "./clientObjects";
import { followPodLog, type FollowedPodLog } from "./followedPodLog";
import { acknowledged, parseLoadLog, type LoadLog } from "./loadLog";

const PODS = `/api/v1/namespaces/${LOAD_NAMESPACE}/pods`;
const CONFIG_MAPS = `/api/v1/namespaces/${LOAD_NAMESPACE}/configmaps`;
const POD_SECONDS = 120;
const FIRST_WRITE_SECONDS = 60;
const END_SECONDS = 30;

export interface LoadOptions {
  /** @default the kubeconfig's current context */
  readonly kube?: KubeClient;
  /** Milliseconds between two writes. @default 50 */
  readonly intervalMs?: number;
  /** @default OpenBao's image, which every cluster here has */
  readonly image?: string;
  /** Whether the server's listener has TLS. @default false */
  readonly tls?: boolean;
}

/** A client load that runs on the cluster. */
export interface RunningLoad {
  /** The file that the log is copied to, one JSON line an attempt. */
  readonly file: string;
  /** Ends the client and gives all that it saw. @throws Error when its log is not complete. */
  stop(): Promise<LoadLog>;
}

interface Pod extends KubeObject {
  status?: { phase?: string };
}

/**
 * Starts the client load as a pod and waits for its first acknowledged write. A load that an earlier run left is ended.
 * @param runDir folder for the log's copy, `load-<id>.jsonl`; made when absent.
 * @throws Error when the pod does not run, or no write is acknowledged in time.
 */
export async function startLoad(runDir: string, options: LoadOptions = {}): Promise<RunningLoad> {
  const kube = options.kube ?? kubeClient(loadKubeConfig());
  // A path and a file of its own for each load: sequence numbers start at 1 again.
  const id = Date.now().toString(36);
  const settings: LoadSettings = {
    image: options.image ?? "quay.io/openbao/openbao:2.4.0",
    prefix: `secret/load/${id}`,
    intervalMs: options.intervalMs ?? 50,
    timeoutMs: 500,
    ...(options.tls === true && { tls: true }),
  };
  mkdirSync(runDir, { recursive: true, mode: 0o700 });
  await removeLoad(kube);
  const parts = clientParts(readFileSync(await clientBinary(await nodeArch(kube))));
  for (const part of parts) await createOrReplace(kube, part);
  await kube.create(PODS, clientPod(parts.length, settings));
  await kube.waitFor<Pod>(PODS, LOAD_POD, (seen) => started(seen), {
    what: `pod ${LOAD_POD} in ${LOAD_NAMESPACE} to run`,
    timeoutSeconds: POD_SECONDS,
  });
  const file = join(runDir, `load-${id}.jsonl`);
  let acknowledgedOne = false;
  const log = followPodLog(kube, `${PODS}/${LOAD_POD}/log`, file, (line) => {
    acknowledgedOne ||= line.includes('"o":"W"') && line.includes('"ok":true');
    return line.includes('"o":"end"');
  });
  await firstWrite(kube, log, () => acknowledgedOne);
  return {
    file,
    stop: async () => {
      await endPod(kube);
      const read = parseLoadLog(await log.finish(END_SECONDS));
      await removeLoad(kube);
      return completeLog(read, file);
    },
  };
}

/** The log of a load that an earlier, killed run had copied; what it acknowledged must be found, too. */
export function readLoadLog(file: string): LoadLog {
  return parseLoadLog(readFileSync(file, "utf8").split("\n"));
}

/** Every load of a run, that of a killed one too. */
export function loadLogs(runDir: string): LoadLog[] {
  return readdirSync(runDir)
    .filter((name) => /^load-.*\.jsonl$/.test(name))
    .map((name) => readLoadLog(join(runDir, name)));
}

async function firstWrite(kube: KubeClient, log: FollowedPodLog, seen: () => boolean): Promise<void> {
  const end = Date.now() + FIRST_WRITE_SECONDS * 1000;
  while (!seen()) {
    const phase = (await kube.find<Pod>(`${PODS}/${LOAD_POD}`))?.status?.phase ?? "absent";
    if (phase !== "Running" || Date.now() > end) {
      const said = (await log.finish(2)).filter(Boolean).slice(-3).join(" | ");
      throw new Error(
        `the client load had no acknowledged write; expected one within ${FIRST_WRITE_SECONDS} s of its start. ` +
          `Its pod is ${phase}, its last lines: ${said || "none"}`,
      );
    }
    await delay(200);
  }
}

/** Removes a load that runs, if any, and waits until it is gone. */
async function removeLoad(kube: KubeClient): Promise<void> {
  await endPod(kube);
  await kube.waitFor<Pod>(PODS, LOAD_POD, (seen) => seen === undefined, {
    what: `pod ${LOAD_POD} in ${LOAD_NAMESPACE} to be gone`,
    timeoutSeconds: POD_SECONDS,
  });
}

async function endPod(kube: KubeClient): Promise<void> {
  try {
    await kube.remove(`${PODS}/${LOAD_POD}`);
  } catch (error) {
    if (!(error instanceof KubeError && error.status === 404)) throw error;
  }
}

function completeLog(log: LoadLog, file: string): LoadLog {
  const found = acknowledged(log).length;
  if (log.counted === undefined) {
    throw new Error(
      `the client load's last line is not in ${file}: what it saw before its end is not known in full`,
    );
  }
  if (found !== log.counted) {
    throw new Error(
      `${file} has ${found} acknowledged writes, and the client counted ${log.counted}: lines of its log were lost`,
    );
  }
  return log;
}

function started(pod: Pod | undefined): boolean {
  return ["Running", "Failed", "Succeeded"].includes(pod?.status?.phase ?? "");
}

/** Architecture of the first node. @throws Error when none says it. */
export async function nodeArch(kube: KubeClient): Promise<string> {
  const nodes = await kube.list<KubeObject & { status?: { nodeInfo?: { architecture?: string } } }>(
    "/api/v1/nodes",
  );
  const arch = nodes[0]?.status?.nodeInfo?.architecture;
  if (arch === undefined)
    throw new Error("no node of the cluster says its architecture; expected at least one node");
  return arch;
}

/** For ConfigMaps of the client namespace. */
export async function createOrReplace(kube: KubeClient, object: KubeObject): Promise<void> {
  try {
    await kube.create(CONFIG_MAPS, object);
  } catch (error) {
    if (!(error instanceof KubeError && error.status === 409)) throw error;
    await kube.replace(`${CONFIG_MAPS}/${object.metadata?.name}`, object);
  }
}
