import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterState } from "./state";

/** What a kubelet sets at its start (pkg/kubelet/cm, setupKernelTunables). */
const CHANGED_BY_KUBELET = [
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxkeys",
  "kernel/keys/root_maxbytes",
];

/** Folders that containerd and the kubelet use whatever they are configured to. */
const FIXED_FOLDERS = ["/run/containerd", "/var/lib/kubelet", "/var/log/containers", "/var/lib/cni"];

/** Notes the machine as it is before the cluster; what is noted already stays. */
export function recordMachine(state: ClusterState): void {
  for (const name of CHANGED_BY_KUBELET) {
    if (name in state.kernelSettings || !existsSync(`/proc/sys/${name}`)) continue;
    state.kernelSettings[name] = readFileSync(`/proc/sys/${name}`, "utf8").trim();
  }
  for (const folder of [...FIXED_FOLDERS, "/run/netns"]) {
    if (!existsSync(folder) && !state.madeFolders.includes(folder)) state.madeFolders.push(folder);
  }
}

/** Sets the machine back to what was noted. */
export function restoreMachine(state: ClusterState): void {
  for (const [name, value] of Object.entries(state.kernelSettings)) {
    if (readFileSync(`/proc/sys/${name}`, "utf8").trim() !== value) writeFileSync(`/proc/sys/${name}`, value);
  }
  for (const folder of state.madeFolders.filter((name) => FIXED_FOLDERS.includes(name))) {
    // A containerd of the user's own may have come up meanwhile; then the folder is no longer ours to remove.
    if (!existsSync(join(folder, "containerd.sock"))) rmSync(folder, { recursive: true, force: true });
  }
}
