import assert from "node:assert/strict";

/** The first packet of a connection, as a node's forward hook sees it (after kube-proxy's address translation). */
export interface Packet {
  readonly from: string;
  readonly to: string;
  readonly protocol?: "tcp" | "udp" | "sctp" | "icmp";
  readonly port?: number;
  /** A later packet of a connection that was let through. */
  readonly established?: boolean;
}

interface Table {
  readonly sets: Map<string, string[]>;
  readonly chains: Map<string, string[]>;
}

/** What nft would do with a packet, for the small part of its language that the stand-in writes; throws on the rest. */
export function nftVerdict(ruleset: string, packet: Packet): "accept" | "drop" {
  const verdict = runChain(parse(ruleset), "forward", packet);
  return verdict === "drop" ? "drop" : "accept";
}

function parse(ruleset: string): Table {
  const table: Table = { sets: new Map(), chains: new Map() };
  let chain: string[] | undefined;
  for (const line of ruleset.split("\n").map((text) => text.trim())) {
    const set = /^set (\S+) \{ type [^;]+;(?: flags interval;)?(?: elements = \{ (.+) \};)? \}$/.exec(line);
    const opened = /^chain (\S+) \{$/.exec(line);
    if (set) table.sets.set(set[1]!, set[2]?.split(", ") ?? []);
    else if (opened) table.chains.set(opened[1]!, (chain = []));
    else if (line === "}") chain = undefined;
    else if (chain) chain.push(line);
    else
      assert.match(
        line,
        /^$|^(add|delete) table inet obr-netpol$|^table inet obr-netpol \{$/,
        "line of another kind",
      );
  }
  return table;
}

function runChain(table: Table, name: string, packet: Packet): "accept" | "drop" | "return" {
  const rules = table.chains.get(name);
  assert.ok(rules, `a rule jumps to chain "${name}", which is not there`);
  for (const rule of rules) {
    const verdict = runRule(table, rule.replace(/ comment "[^"]*"$/, ""), packet);
    if (verdict) return verdict;
  }
  return "return";
}

function runRule(table: Table, rule: string, packet: Packet): "accept" | "drop" | "return" | undefined {
  let rest = rule;
  const taken = (pattern: RegExp): string[] | undefined => {
    const match = pattern.exec(rest);
    if (match) rest = rest.slice(match[0].length).trim();
    return match?.slice(1);
  };
  const elements = (set = ""): string[] => {
    const found = table.sets.get(set);
    assert.ok(found, `a rule names set "${set}", which is not there`);
    return found;
  };
  const protocol = packet.protocol ?? "tcp";
  for (;;) {
    let part: string[] | undefined;
    if (taken(/^type filter hook forward priority filter; policy accept;/)) return undefined;
    else if (taken(/^counter\b/)) continue;
    else if ((part = taken(/^ip saddr \. ip daddr @(\S+)/))) {
      if (!elements(part[0]).includes(`${packet.from} . ${packet.to}`)) return undefined;
    } else if ((part = taken(/^ip (saddr|daddr) @(\S+)/))) {
      if (!inRanges(elements(part[1]), addressNumber(part[0] === "saddr" ? packet.from : packet.to)))
        return undefined;
    } else if ((part = taken(/^(tcp|udp|sctp) dport \{ ([^}]+) \}/))) {
      if (part[0] !== protocol || !inRanges(part[1]!.split(", "), packet.port ?? -1)) return undefined;
    } else if ((part = taken(/^meta l4proto (\S+)/))) {
      if (part[0] !== protocol) return undefined;
    } else if (taken(/^ct state established,related/)) {
      if (!packet.established) return undefined;
    } else if ((part = taken(/^jump (\S+)$/))) {
      const verdict = runChain(table, part[0]!, packet);
      return verdict === "return" ? undefined : verdict;
    } else {
      const verdict = taken(/^(accept|drop|return)$/)?.[0];
      assert.ok(verdict, `nothing known about "${rest}" in "${rule}"`);
      return verdict as "accept" | "drop" | "return";
    }
  }
}

function inRanges(ranges: readonly string[], value: number): boolean {
  return ranges.some((range) => {
    const [from, to = from] = range.split("-").map(addressNumber);
    return from !== undefined && to !== undefined && from <= value && value <= to;
  });
}

/** A dotted address or a port, as a number. */
function addressNumber(text: string): number {
  return text.split(".").reduce((value, part) => value * 256 + Number(part), 0);
}
