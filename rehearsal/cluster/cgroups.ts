import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CGROUP, nodeLayouts, SYSTEM_CGROUP } from "./layout";
import { waitFor } from "./waitFor";

const ROOT = "/sys/fs/cgroup";
/** Files that a new cpuset group needs before a process may enter it (version 1 only). */
const CPUSET_FILES = ["cpuset.cpus", "cpuset.mems"];
/** What the kubelet wants to find enabled in its cgroup root (version 2 only). */
const UNIFIED_CONTROLLERS = ["cpuset", "cpu", "io", "memory", "pids", "hugetlb"];

/** True on a machine with the unified hierarchy only (version 2). */
function isUnified(): boolean {
  return existsSync(join(ROOT, "cgroup.controllers"));
}

/** Mount points of every hierarchy, controllers that share one mount counted once. */
export function hierarchies(): string[] {
  if (isUnified()) return [ROOT];
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => ({ point: line.split(" ")[4] ?? "", kind: line.split(" - ")[1]?.split(" ")[0] ?? "" }))
    .filter(({ point, kind }) => kind.startsWith("cgroup") && point.startsWith(`${ROOT}/`))
    .map(({ point }) => point);
}

/** Makes the groups of the cluster in every hierarchy: the kubelet refuses a cgroup root that is not there. */
export function makeCgroups(): void {
  const groups = [CGROUP, SYSTEM_CGROUP, ...nodeLayouts().map((node) => node.cgroup)];
  for (const hierarchy of hierarchies()) {
    if (isUnified()) enableControllers(hierarchy);
    for (const group of groups) {
      mkdirSync(join(hierarchy, group), { recursive: true });
      fillCpuset(hierarchy, group);
      if (isUnified() && group !== SYSTEM_CGROUP) enableControllers(join(hierarchy, group));
    }
  }
}

function fillCpuset(hierarchy: string, group: string): void {
  for (const file of CPUSET_FILES) {
    const target = join(hierarchy, group, file);
    if (isUnified() || !existsSync(target) || readFileSync(target, "utf8").trim() !== "") continue;
    writeFileSync(target, readFileSync(join(hierarchy, group, "..", file), "utf8"));
  }
}

function enableControllers(group: string): void {
  const offered = readFileSync(join(group, "cgroup.controllers"), "utf8").trim().split(" ");
  for (const controller of UNIFIED_CONTROLLERS.filter((name) => offered.includes(name))) {
    writeFileSync(join(group, "cgroup.subtree_control"), `+${controller}`);
  }
}

/** The hierarchy whose groups say which processes are ours: containers are in it on version 1 and 2. */
function trackingHierarchy(): string {
  return isUnified() ? ROOT : join(ROOT, existsSync(join(ROOT, "pids")) ? "pids" : "memory");
}

/** A process that writes its id here is found by `down`, and so are its children. */
export function systemCgroupFile(): string {
  return join(trackingHierarchy(), SYSTEM_CGROUP, "cgroup.procs");
}

/** Every process in the cluster's groups: control plane, containerd, shims, containers. */
export function clusterPids(): number[] {
  const pids = new Set<number>();
  for (const group of groupsBelow(join(trackingHierarchy(), CGROUP))) {
    for (const line of readGroup(group)) pids.add(Number(line));
  }
  // 0 stands for a process of another pid namespace: not ours to end.
  return [...pids].filter((pid) => pid > 0 && pid !== process.pid);
}

function readGroup(group: string): string[] {
  try {
    return readFileSync(join(group, "cgroup.procs"), "utf8").split("\n").filter(Boolean);
  } catch {
    return [];
  }
}

/** The group and all groups below it, deepest first. */
function groupsBelow(group: string): string[] {
  let entries;
  try {
    entries = readdirSync(group, { withFileTypes: true });
  } catch {
    return [];
  }
  const children = entries.filter((entry) => entry.isDirectory()).map((entry) => join(group, entry.name));
  return [...children.flatMap(groupsBelow), group];
}

/**
 * Removes the cluster's groups from every hierarchy; the processes must be gone.
 * @throws when a group is still busy after 20 s.
 */
export async function removeCgroups(): Promise<void> {
  const left = () => hierarchies().flatMap((hierarchy) => groupsBelow(join(hierarchy, CGROUP)));
  await waitFor("the cluster's cgroups to be empty", 20, () => {
    for (const group of left()) {
      try {
        rmdirSync(group);
      } catch {
        // Busy until the kernel has reaped the last task; asked again.
      }
    }
    return Promise.resolve(left().length === 0);
  });
}
