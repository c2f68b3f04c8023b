import { spawn } from "node:child_process";
import { stat } from "node:fs/promises";
import { text } from "node:stream/consumers";

const commandTimeoutMs = 10_000;

/** Puts rulesets into the network namespace of one node, and remembers what is in force there. */
export class Enforcer {
  private inForce: { ruleset: string; namespace: string } | undefined;

  /** @param netns name of the node's network namespace, as under /run/netns. */
  constructor(
    readonly node: string,
    private readonly netns: string,
  ) {}

  /**
   * Makes a ruleset hold. Does nothing when it already does in the same namespace; a namespace that was made anew
   * under the old name gets its rules again.
   * @returns whether something was changed. @throws if nft refuses or the namespace is not there.
   */
  async enforce(ruleset: string): Promise<boolean> {
    const path = `/run/netns/${this.netns}`;
    // The inode alone does not do: the kernel gives a removed namespace's number to the next one.
    const { ino, ctimeNs } = await stat(path, { bigint: true });
    const namespace = `${ino}:${ctimeNs}`;
    if (this.inForce?.namespace === namespace && this.inForce.ruleset === ruleset) return false;
    // Without this, frames between two pods of one node cross the CNI bridge unseen by the forward hook.
    if (this.inForce?.namespace !== namespace) {
      await this.inside(path, ["tee", "/proc/sys/net/bridge/bridge-nf-call-iptables"], "1");
    }
    this.inForce = undefined;
    await this.inside(path, ["nft", "-f", "-"], ruleset);
    this.inForce = { ruleset, namespace };
    return true;
  }

  private async inside(path: string, command: readonly string[], input: string): Promise<void> {
    const child = spawn("nsenter", [`--net=${path}`, ...command], {
      stdio: ["pipe", "ignore", "pipe"],
      timeout: commandTimeoutMs,
    });
    // nft may refuse and exit before it has read everything: its exit code tells more than the broken pipe.
    child.stdin.on("error", () => undefined).end(input);
    const [stderr, outcome] = await Promise.all([
      text(child.stderr),
      new Promise<string>((resolve, reject) => {
        child.on("error", reject);
        child.on("close", (code, signal) => resolve(signal ?? String(code)));
      }),
    ]);
    if (outcome !== "0") {
      throw new Error(
        `"${command.join(" ")}" in ${path} ended with ${outcome}, expected 0: ${stderr.trim()}`,
      );
    }
  }
}
