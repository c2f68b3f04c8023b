import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { listAt, numberAt, textAt, textsAt } from "../gate/fields";
import { RAFT_PORTS } from "../gate/readPolicies";
import { clean } from "../gate/observed";

const TIMEOUT_MS = 60_000;
const MAX_BYTES = 8 << 20;

/** talosctl gave no usable answer. Its output is never shown: a machine config holds the cluster's keys. */
export class TalosctlError extends Error {
  override readonly name = "TalosctlError";
}

/** What the ingress firewall of one node does with Raft's ports. */
export type Firewall =
  /** It blocks by default, and lets Raft in from every subnet. */
  | "open"
  /** It blocks by default, and a rule is missing. */
  | "closed"
  /** It is off, or accepts by default: a rule would close the ports to all but its subnets. */
  | "accepts";

/**
 * The nftables chain that Talos made of its config, read from the node: it is what packets meet, and holds no secret.
 * @throws TalosctlError when talosctl is absent, the node does not answer, or the answer is not understood.
 */
export async function firewallOf(node: string, nodeSubnets: readonly string[]): Promise<Firewall> {
  const answer = await talosctl(node, "get", "nftableschains.net.talos.dev", "--output", "json");
  const chains = objectsOf(node, answer);
  const ingress = chains.find((chain) => textAt(chain, "metadata", "id") === "ingress");
  if (ingress === undefined || textAt(ingress, "spec", "policy") !== "drop") return "accepts";
  const rules = listAt(ingress, "spec", "rules");
  const open = nodeSubnets.every((subnet) =>
    RAFT_PORTS.every((port) => rules.some((rule) => letsIn(rule, subnet, port))),
  );
  return open ? "open" : "closed";
}

/**
 * Adds the document of `file` to the node's machine config, without a reboot.
 * @param dryRun only asks the node whether it would take it
 * @throws TalosctlError when the node refuses, or would have to reboot.
 */
export async function patchNode(node: string, file: string, dryRun: boolean): Promise<void> {
  const patch = ["patch", "machineconfig", "--mode", "no-reboot", "--patch", `@${file}`];
  await talosctl(node, ...patch, ...(dryRun ? ["--dry-run"] : []));
}

function letsIn(rule: unknown, subnet: string, port: number): boolean {
  const ranges = listAt(rule, "matchLayer4", "matchDestinationPort", "ranges");
  return (
    textAt(rule, "verdict") === "accept" &&
    textAt(rule, "matchLayer4", "protocol") === "tcp" &&
    textsAt(rule, "matchSourceAddress", "includeSubnets").includes(subnet) &&
    listAt(rule, "matchSourceAddress", "excludeSubnets").length === 0 &&
    ranges.some((range) => (numberAt(range, "lo") ?? 1) <= port && port <= (numberAt(range, "hi") ?? 0))
  );
}

/** talosctl writes one indented JSON object after the other. */
function objectsOf(node: string, text: string): unknown[] {
  try {
    return text
      .split(/^(?=\{)/m)
      .filter((part) => part.trim() !== "")
      .map((part) => JSON.parse(part) as unknown);
  } catch {
    throw new TalosctlError(`talosctl on node ${node}: an answer that is no JSON, expected nftables chains`);
  }
}

async function talosctl(node: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("talosctl", ["--nodes", node, ...args], {
      timeout: TIMEOUT_MS,
      maxBuffer: MAX_BYTES,
    });
    return stdout;
  } catch (error) {
    throw new TalosctlError(`talosctl ${args.slice(0, 2).join(" ")} on node ${node}: ${whyOf(error)}`);
  }
}

function whyOf(error: unknown): string {
  const { code, killed, stderr } = error as { code?: unknown; killed?: boolean; stderr?: string };
  if (code === "ENOENT") return "no talosctl on PATH; install it, or leave talos.nodes empty";
  if (killed === true) return `no answer within ${TIMEOUT_MS / 1000} s`;
  // Only the first line: a rejected config is quoted below it.
  return `${clean((stderr ?? "").trim().split("\n")[0] ?? "", 300) || "no reason given"} (exit ${String(code)})`;
}
