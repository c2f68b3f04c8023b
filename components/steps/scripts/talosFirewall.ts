// Before: talosctl reaches the nodes of the config, as its own config file says.
// After: where a node's ingress firewall blocks by default, it lets Raft in from each subnet of the nodes; no node
// was rebooted, and a node that accepts by default was left alone, since a rule would close ports there.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { networkRule } from "../../talosRule";
import { type Facts, type Step, type StepContext } from "../runStep";
import { firewallOf, patchNode, TalosctlError, type Firewall } from "../talosctl";
import { until } from "../world";

const SETTLE_SECONDS = 60;

export const talosFirewall: Step = {
  id: "talos-firewall",

  async observe(ctx) {
    const { nodes, nodeSubnets } = talosOf(ctx);
    try {
      const seen = await firewalls(nodes, nodeSubnets);
      const closed = nodes.filter((node) => seen[node] === "closed");
      if (closed.length === 0) return { state: "done", observed: { firewalls: seen } };
      // Each node is asked before the first one is changed: all take the rule, or none gets it.
      await withPatch(nodeSubnets, (file) => Promise.all(closed.map((node) => patchNode(node, file, true))));
      return { state: "todo", observed: { firewalls: seen } };
    } catch (error) {
      if (!(error instanceof TalosctlError)) throw error;
      return { state: "refuse", hazard: "F44", why: `${error.message}; expected a node that takes the rule` };
    }
  },

  async act(ctx) {
    const { nodes, nodeSubnets } = talosOf(ctx);
    const seen = await firewalls(nodes, nodeSubnets);
    await withPatch(nodeSubnets, async (file) => {
      for (const node of nodes.filter((one) => seen[one] === "closed")) {
        await ctx.fence.assertHeld();
        await patchNode(node, file, false);
        ctx.log(`node ${node}: patched`);
      }
    });
  },

  async verify(ctx) {
    const { nodes, nodeSubnets } = talosOf(ctx);
    return until<Facts>("each node's ingress firewall to let Raft in", SETTLE_SECONDS, async () => {
      const seen = await firewalls(nodes, nodeSubnets);
      const closed = nodes.filter((node) => seen[node] === "closed");
      return closed.length === 0
        ? { value: { firewalls: seen } }
        : { seen: `closed on ${closed.join(", ")} [F44]` };
    });
  },
};

function talosOf(ctx: StepContext) {
  const { talos } = ctx.input;
  if (talos === undefined) throw new Error("the step has no Talos nodes; this is a bug");
  return talos;
}

async function firewalls(
  nodes: readonly string[],
  nodeSubnets: readonly string[],
): Promise<Record<string, Firewall>> {
  const seen = await Promise.all(
    nodes.map(async (node) => [node, await firewallOf(node, nodeSubnets)] as const),
  );
  return Object.fromEntries(seen);
}

/** The document in a file of its own, for talosctl's `@FILE`. */
async function withPatch<T>(nodeSubnets: readonly string[], use: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "openbao-talos-"));
  try {
    const file = join(folder, "rule.yaml");
    await writeFile(file, stringify(networkRule(nodeSubnets)), { mode: 0o600 });
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export default talosFirewall;
