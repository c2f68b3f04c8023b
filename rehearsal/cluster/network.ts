import { existsSync } from "node:fs";
import {
  BRIDGE,
  HOST_ADDRESS,
  HOST_LINK,
  LAN_NETNS,
  NODE_PREFIX_LENGTH,
  nodeLayouts,
  SERVICE_CIDR,
  type NodeLayout,
} from "./layout";
import { run, tryRun } from "./run";

/** True when every namespace and the host's link are there. */
export function networkExists(): boolean {
  const namespaces = [LAN_NETNS, ...nodeLayouts().map((node) => node.netns)];
  return (
    namespaces.every((name) => existsSync(`/run/netns/${name}`)) && existsSync(`/sys/class/net/${HOST_LINK}`)
  );
}

/**
 * Makes the bridge, the nodes' namespaces and the routes. What is there already is kept.
 * @throws when the address range is in use by a link that is not ours.
 */
export async function makeNetwork(): Promise<void> {
  await refuseClash();
  await makeNamespace(LAN_NETNS);
  await inNamespace(LAN_NETNS, ["link", "add", BRIDGE, "type", "bridge", "forward_delay", "0"], /exists/);
  await inNamespace(LAN_NETNS, ["link", "set", BRIDGE, "up"]);
  await setKernel(LAN_NETNS, "net/bridge/bridge-nf-call-iptables", "0");
  await makeHostLink();
  for (const node of nodeLayouts()) await makeNode(node);
  await routeHost();
}

/** Removes namespaces and links; processes in them must be gone. */
export async function removeNetwork(): Promise<void> {
  await tryRun(["ip", "link", "delete", HOST_LINK]);
  for (const name of [...nodeLayouts().map((node) => node.netns), LAN_NETNS]) {
    if (existsSync(`/run/netns/${name}`)) await run(["ip", "netns", "delete", name]);
  }
}

/** Namespaces and links that are there, in words. */
export function networkLeftovers(): string[] {
  const namespaces = [LAN_NETNS, ...nodeLayouts().map((node) => node.netns)];
  const found = namespaces
    .filter((name) => existsSync(`/run/netns/${name}`))
    .map((name) => `network namespace ${name}`);
  return existsSync(`/sys/class/net/${HOST_LINK}`) ? [...found, `link ${HOST_LINK}`] : found;
}

async function refuseClash(): Promise<void> {
  const routes = await run(["ip", "-4", "route", "show"]);
  const clash = routes
    .split("\n")
    .find((line) => /^10\.(89\.0|98\.\d+|97\.0)\.0\//.test(line) && !line.includes(HOST_LINK));
  if (!clash) return;
  throw new Error(
    `A route of this machine uses the rehearsal's addresses (found: ${clash.trim()}; needed: 10.89.0.0/24, ` +
      `10.97.0.0/16, 10.98.0.0/16). Remove that route, or rehearse on a cluster of your own with --context.`,
  );
}

async function makeNamespace(name: string): Promise<void> {
  if (!existsSync(`/run/netns/${name}`)) await run(["ip", "netns", "add", name]);
  await inNamespace(name, ["link", "set", "lo", "up"]);
}

async function makeHostLink(): Promise<void> {
  if (!existsSync(`/sys/class/net/${HOST_LINK}`)) {
    await run([
      "ip",
      "link",
      "add",
      HOST_LINK,
      "type",
      "veth",
      "peer",
      "name",
      HOST_LINK,
      "netns",
      LAN_NETNS,
    ]);
  }
  await inNamespace(LAN_NETNS, ["link", "set", HOST_LINK, "master", BRIDGE, "up"]);
  await run(["ip", "address", "replace", `${HOST_ADDRESS}/${NODE_PREFIX_LENGTH}`, "dev", HOST_LINK]);
  await run(["ip", "link", "set", HOST_LINK, "up"]);
}

async function makeNode(node: NodeLayout): Promise<void> {
  await makeNamespace(node.netns);
  if ((await tryRun(["ip", "-n", node.netns, "link", "show", "eth0"])) === undefined) {
    const port = ["link", "add", node.name, "type", "veth", "peer", "name", "eth0", "netns", node.netns];
    await inNamespace(LAN_NETNS, port);
  }
  await inNamespace(LAN_NETNS, ["link", "set", node.name, "master", BRIDGE, "up"]);
  await inNamespace(node.netns, [
    "address",
    "replace",
    `${node.address}/${NODE_PREFIX_LENGTH}`,
    "dev",
    "eth0",
  ]);
  await inNamespace(node.netns, ["link", "set", "eth0", "up"]);
  await inNamespace(node.netns, ["route", "replace", "default", "via", HOST_ADDRESS]);
  for (const peer of nodeLayouts().filter((other) => other.index !== node.index)) {
    await inNamespace(node.netns, ["route", "replace", peer.podCidr, "via", peer.address]);
  }
  await setKernel(node.netns, "net/ipv4/ip_forward", "1");
  // kube-proxy and the policy rules must see traffic between two pods of one node, which crosses a bridge only.
  await setKernel(node.netns, "net/bridge/bridge-nf-call-iptables", "1");
}

async function routeHost(): Promise<void> {
  for (const node of nodeLayouts()) await run(["ip", "route", "replace", node.podCidr, "via", node.address]);
  const first = nodeLayouts()[0];
  // Lets programs on the host reach Services; kube-proxy of that node translates them.
  if (first) await run(["ip", "route", "replace", SERVICE_CIDR, "via", first.address]);
}

async function inNamespace(netns: string, args: string[], acceptFailure?: RegExp): Promise<void> {
  await run(["ip", "-n", netns, ...args]).catch((error: Error) => {
    if (!acceptFailure?.test(error.message)) throw error;
  });
}

/** Settings below net/ belong to the namespace of the process that writes them. */
async function setKernel(netns: string, name: string, value: string): Promise<void> {
  if (!existsSync(`/proc/sys/${name}`)) return;
  await run(["nsenter", `--net=/run/netns/${netns}`, "--", "tee", `/proc/sys/${name}`], { input: value });
}
