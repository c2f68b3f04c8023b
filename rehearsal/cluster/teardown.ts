import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { stopHelmController } from "../standins/helmController/start";
import { clusterPids, removeCgroups } from "./cgroups";
import { restoreMachine } from "./kernelSettings";
import { clusterDir, HOST_LINK, nodeLayouts } from "./layout";
import { networkLeftovers, removeNetwork } from "./network";
import { isAlive, processStartTime, signal } from "./processes";
import { run, tryRun, type Log } from "./run";
import { readState, writeState, type ClusterState } from "./state";
import { waitFor } from "./waitFor";

/** Removes every trace of the cluster; the caller holds the lock. @throws when something could not be removed. */
export async function removeCluster(log: Log): Promise<void> {
  // It is no process of the cluster's, and its id lies in the folder that is removed below.
  await stopHelmController();
  const state = readState();
  if (!existsSync(clusterDir()) && livePids(state).length === 0 && networkLeftovers().length === 0) {
    log("There is no rehearsal cluster.");
    return;
  }
  if (state) writeState({ ...state, phase: "stopping" });
  log("Ending the cluster's processes ...");
  await endProcesses(state);
  log("Removing mounts, namespaces, links and cgroups ...");
  await unmountAll();
  await removeNetwork();
  await removeCgroups();
  removeShimSockets();
  removeOutsideFiles();
  if (state) restoreMachine(state);
  await removeNetnsFolder(state);
  // A bind mount that is still there would let the removal below reach files that are not ours.
  const left = await leftovers();
  if (left.length > 0)
    throw new Error(`Found after the removal: ${left.join(", ")}. Remove them, then run down again.`);
  rmSync(clusterDir(), { recursive: true, force: true });
  log("The rehearsal cluster is gone.");
}

/** Live processes of the cluster: those in its cgroups, and recorded ones. Zombies do not count. */
function livePids(state: ClusterState | undefined): number[] {
  const recorded = Object.values(state?.processes ?? {}).filter(isAlive);
  const pids = new Set([...clusterPids(), ...recorded.map((record) => record.pid)]);
  return [...pids].filter((pid) => processStartTime(pid) !== undefined);
}

/** Kills until none is left: a shim may start a process while the list is read. */
async function endProcesses(state: ClusterState | undefined): Promise<void> {
  const allGone = () => {
    const pids = livePids(state);
    for (const pid of pids) signal(pid, "SIGKILL");
    return Promise.resolve(pids.length === 0);
  };
  await waitFor("the cluster's processes to end", 30, allGone, 100);
}

/** Mount points below the cluster's folder, innermost first. */
export function mountsBelow(folder: string, mountinfo: string): string[] {
  const points = mountinfo
    .split("\n")
    .map((line) =>
      (line.split(" ")[4] ?? "").replace(/\\([0-7]{3})/g, (_, code: string) =>
        String.fromCharCode(parseInt(code, 8)),
      ),
    )
    .filter((point) => point === folder || point.startsWith(`${folder}/`));
  return points.reverse();
}

function clusterMounts(): string[] {
  return mountsBelow(clusterDir(), readFileSync("/proc/self/mountinfo", "utf8"));
}

async function unmountAll(): Promise<void> {
  await waitFor("the cluster's mounts to be released", 20, async () => {
    for (const point of clusterMounts()) await tryRun(["umount", point]);
    return clusterMounts().length === 0;
  });
}

/** Shims put their sockets into a fixed folder under names that only their bundles tell. */
function removeShimSockets(): void {
  for (const node of nodeLayouts()) {
    const bundles = join(node.dir, "run", "io.containerd.runtime.v2.task", "k8s.io");
    for (const bundle of existsSync(bundles) ? readdirSync(bundles) : []) {
      const address = join(bundles, bundle, "address");
      if (existsSync(address))
        rmSync(
          readFileSync(address, "utf8")
            .trim()
            .replace(/^unix:\/\//, ""),
          { force: true },
        );
    }
  }
}

/** What containerd and the kubelet leave in folders that were there before us. */
function removeOutsideFiles(): void {
  const results = "/var/lib/cni/results";
  for (const name of existsSync(results) ? readdirSync(results) : []) {
    if (name.startsWith("rehearsal-")) rmSync(join(results, name));
  }
  const logs = "/var/log/containers";
  for (const name of existsSync(logs) ? readdirSync(logs) : []) {
    const link = join(logs, name);
    if (lstatSync(link).isSymbolicLink() && readlinkSync(link).startsWith(`${clusterDir()}/`)) rmSync(link);
  }
}

/** `ip netns` mounts its folder onto itself at the first use and leaves that behind. */
async function removeNetnsFolder(state: ClusterState | undefined): Promise<void> {
  const folder = "/run/netns";
  if (!state?.madeFolders.includes(folder) || !existsSync(folder) || readdirSync(folder).length > 0) return;
  await tryRun(["umount", folder]);
  rmdirSync(folder);
}

/** What is left of the cluster besides its files, in words; empty when nothing is. */
async function leftovers(): Promise<string[]> {
  const pids = livePids(undefined).map((pid) => `process ${pid}`);
  const mounts = clusterMounts().map((point) => `mount ${point}`);
  const routes = (await run(["ip", "-4", "route", "show", "dev", HOST_LINK]).catch(() => "")).trim();
  return [...pids, ...mounts, ...networkLeftovers(), ...(routes ? [`routes ${routes}`] : [])];
}
