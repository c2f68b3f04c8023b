import { accessSync, constants, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Tells our policy from one of the user's, which many images have with the same two other lines. */
const MARK = "# Written by openbao-raft-migration while it installs packages; it removes it again.";

/** Where invoke-rc.d looks, with the root that it looks in. */
const policyFile = (): string => join(process.env["DPKG_ROOT"] || "/", "usr", "sbin", "policy-rc.d");

/** etcd and containerd would start system daemons on the user's machine; a policy of the user's own is kept. */
export function forbidDaemons(): void {
  try {
    writeFileSync(policyFile(), `#!/bin/sh\n${MARK}\nexit 101\n`, { flag: "wx", mode: 0o755 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** Removes our policy, also one that a killed run left: with it, no package could start a daemon here any more. */
export function allowDaemons(): void {
  if (isOurs()) rmSync(policyFile(), { force: true });
}

/** True when there is a policy of ours that this process can remove. */
export function policyIsLeft(): boolean {
  return isOurs() && isWritable(dirname(policyFile()));
}

function isOurs(): boolean {
  try {
    return readFileSync(policyFile(), "utf8").split("\n").includes(MARK);
  } catch {
    return false;
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
