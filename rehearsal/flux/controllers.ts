import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { clusterDir, kubeconfigPath } from "../cluster/layout";
import {
  isAlive,
  logTail,
  processLog,
  startProcess,
  stopProcess,
  type ProcessSpec,
} from "../cluster/processes";
import type { ProcessRecord } from "../cluster/state";
import { GiveUp, waitFor } from "../cluster/waitFor";
import { partDir } from "../tools/locate";
import { partOf } from "../tools/toolList";
import { toolPath } from "../tools/tools";
import { FLUX_NAMESPACE } from "./objects";

const NAMES = ["source-controller", "kustomize-controller"] as const;
type ControllerName = (typeof NAMES)[number];

const READY_SECONDS = 60;

/** The folder with the definitions that a controller's own version brings; it is there once the controller is built. */
export function definitionsOf(name: ControllerName): string {
  return join(partDir(partOf(name)), "crds");
}

/**
 * Starts Flux's source-controller and kustomize-controller on this machine, with the throw-away cluster's kubeconfig,
 * and waits until both are ready (60 s). They run in the cluster's cgroup, so that its `down` ends them too; those that
 * an earlier run left are ended first.
 * @param names which of the two. @default both
 * @param kubeconfig of the cluster that they serve. @default the throw-away cluster's
 * @throws when one ends early or is not ready in time: then none runs on; the message holds its last log lines.
 */
export async function startFluxControllers(
  names: readonly ControllerName[] = NAMES,
  kubeconfig = kubeconfigPath(),
): Promise<{ stop(): Promise<void> }> {
  await stopFluxControllers();
  const storage = clusterDir("flux", "storage");
  rmSync(storage, { recursive: true, force: true });
  mkdirSync(storage, { recursive: true, mode: 0o700 });
  const address = `127.0.0.1:${await freePort()}`;
  const own: Record<ControllerName, string[]> = {
    "source-controller": [
      `--storage-path=${storage}`,
      `--storage-addr=${address}`,
      `--storage-adv-addr=${address}`,
    ],
    "kustomize-controller": [],
  };
  await allOrNone(names, (name) => startOne(name, kubeconfig, own[name]), stopFluxControllers);
  return { stop: stopFluxControllers };
}

/** One that runs beside a run that has failed would write into the next one's cluster. */
export async function allOrNone<T>(
  all: readonly T[],
  start: (one: T) => Promise<void>,
  stop: () => Promise<void>,
): Promise<void> {
  try {
    for (const one of all) await start(one);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Ends the controllers that this or an earlier run started; waits until they are gone. */
export async function stopFluxControllers(): Promise<void> {
  for (const name of NAMES) {
    await stopProcess(recorded(name), 20);
    rmSync(recordFile(name), { force: true });
  }
}

async function startOne(name: ControllerName, kubeconfig: string, flags: readonly string[]): Promise<void> {
  const health = `127.0.0.1:${await freePort()}`;
  const spec: ProcessSpec = {
    name,
    argv: [
      toolPath(name),
      "--watch-all-namespaces=true",
      "--enable-leader-election=false",
      "--metrics-addr=0",
      `--health-addr=${health}`,
      "--log-encoding=json",
      "--requeue-dependency=5s",
      ...flags,
    ],
    environment: { KUBECONFIG: kubeconfig, RUNTIME_NAMESPACE: FLUX_NAMESPACE },
  };
  rmSync(processLog(name), { force: true });
  const record = startProcess(spec);
  writeFileSync(recordFile(name), JSON.stringify(record), { mode: 0o600 });
  await waitFor(`${name} to be ready`, READY_SECONDS, async () => {
    if (!isAlive(record)) throw new GiveUp(`${name} has ended: ${logTail(name)}`);
    return fetch(`http://${health}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
  });
}

function recordFile(name: ControllerName): string {
  return clusterDir("flux", `${name}.json`);
}

function recorded(name: ControllerName): ProcessRecord | undefined {
  try {
    return JSON.parse(readFileSync(recordFile(name), "utf8")) as ProcessRecord;
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
