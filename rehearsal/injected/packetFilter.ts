import { existsSync } from "node:fs";
import { nodeLayouts, type NodeLayout } from "../cluster/layout";
import { run } from "../cluster/run";
import { toolPath } from "../tools/tools";

/**
 * What a node no longer hears of, or says to, the others. 8200, 8201: that port of pods, both ways. 8201-in: towards
 * its own pods only, while they reach out. node: everything, as if its cable were pulled. loss: one packet in twenty.
 */
export const CUTS = ["8200", "8201", "8201-in", "node", "loss"] as const;
export type Cut = (typeof CUTS)[number];

/** The nft table of the injected faults, besides those of the policies and of kube-proxy. */
export const FAULT_TABLE = "obr-fault";

/** Runs one nft script in a node's network namespace. */
export type NftRunner = (netns: string, script: string) => Promise<void>;

const CLEAR = `add table inet ${FAULT_TABLE}\ndelete table inet ${FAULT_TABLE}\n`;
/** Links of a node that lead to the other nodes. */
const [IN, OUT] = [`iifname "eth0"`, `oifname "eth0"`];

/** The nft script of a cut; it replaces an earlier one. */
export function cutScript(what: Cut): string {
  return [
    CLEAR + `table inet ${FAULT_TABLE} {`,
    ...chainsOf(what).map(
      ([hook, rules]) =>
        `  chain ${hook} { type filter hook ${hook} priority filter - 10; policy accept; ${rules.join("; ")}; }`,
    ),
    "}\n",
  ].join("\n");
}

function chainsOf(what: Cut): [hook: string, rules: string[]][] {
  const lost = "numgen random mod 100 < 5 drop";
  switch (what) {
    case "node":
      return [
        ["input", [`${IN} drop`]],
        ["output", [`${OUT} drop`]],
        ["forward", [`${IN} drop`, `${OUT} drop`]],
      ];
    case "loss":
      return [["forward", [`${IN} ${lost}`, `${OUT} ${lost}`]]];
    case "8201-in":
      return [["forward", [`${IN} tcp dport 8201 drop`]]];
    default:
      return [["forward", [`${IN} tcp dport ${what} drop`, `${OUT} tcp dport ${what} drop`]]];
  }
}

export async function cutNode(node: NodeLayout, what: Cut, nft: NftRunner = nftInNode): Promise<void> {
  await nft(node.netns, cutScript(what));
}

/** Takes every cut away, whoever made it; nodes that are not there have none. */
export async function healPackets(
  nodes: readonly NodeLayout[] = nodeLayouts().filter(({ netns }) => existsSync(`/run/netns/${netns}`)),
  nft: NftRunner = nftInNode,
): Promise<void> {
  for (const { netns } of nodes) await nft(netns, CLEAR);
}

async function nftInNode(netns: string, script: string): Promise<void> {
  await run(["nsenter", `--net=/run/netns/${netns}`, "--", toolPath("nft"), "-f", "-"], { input: script });
}
