import { isIP } from "node:net";
import { z } from "zod";
import { rule } from "./configRule";

/** Names that Kubernetes takes for objects of any kind: DNS-1123 subdomains. */
const objectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'a DNS-1123 name: lower case letters, digits, "-" and "."');
const subnet = z
  .string()
  .max(49)
  .refine(isSubnet, "a subnet such as 10.0.0.0/24 or fd00::/64")
  .transform(canonical);
const nodeAddress = z
  .string()
  .max(253)
  .regex(/^[a-zA-Z0-9]([-a-zA-Z0-9.:]*[a-zA-Z0-9])?$/, "a host name or an address");

/** Talos nodes whose ingress firewall blocks by default (NetworkDefaultActionConfig `ingress: block`). */
export const talosSchema = z.strictObject({
  nodeSubnets: z.array(subnet).min(1).max(50).describe("subnets of the nodes; Raft is let in from them"),
  nodes: z
    .array(nodeAddress)
    .max(100)
    .default([])
    .describe("nodes that talosctl patches in stage network; none: only the checkout is written"),
});

/** A sample of the ExternalSecrets that read from OpenBao. */
export const externalSecretSchema = z.strictObject({
  namespace: objectName.describe("namespace of the ExternalSecret"),
  name: objectName.describe("its name"),
});

/** The PrometheusRule of stage verify. */
export const alertsSchema = z.strictObject({
  enabled: z.boolean().default(false).describe("make the PrometheusRule in stage verify"),
  labels: z
    .record(z.string().max(316), z.string().max(63))
    .default({})
    .describe("its labels, by which the Prometheus of the cluster selects rules"),
});

/** How this program and the followers trust a server whose listener has TLS. */
export const tlsSchema = z.strictObject({
  caSecret: objectName.describe("Secret in OpenBao's namespace with the CA of the listener's certificate"),
  caKey: z
    .string()
    .max(253)
    .regex(/^[-._a-zA-Z0-9]+$/, 'a Secret key: letters, digits, "-", "_" and "."')
    .default("ca.crt")
    .describe("its key that holds the CA, as PEM"),
  serverName: objectName
    .refine((name) => isIP(name) === 0, "a name: an address is not sent as one")
    .optional()
    .describe("name in the certificate; default: each pod's own, RELEASE-N.RELEASE-internal"),
  caFile: z
    .string()
    .max(500)
    .regex(/^\/[-A-Za-z0-9._/]+$/, "an absolute path of plain characters")
    .optional()
    .describe("file in the pod with that CA, for retry_join; default: the listener's tls_client_ca_file"),
});
export type TlsConfig = z.infer<typeof tlsSchema>;

/** The checkout's firewall rule needs the subnets that it lets in. */
export const TALOS_RULE = rule(["git", "talos"], ({ git, talos }) =>
  git?.talosPatch === undefined || talos !== undefined
    ? []
    : [
        {
          key: "talos",
          found: "nothing",
          expected: "the nodes' subnets, since git.talosPatch names a file for the rule",
          fix: "pulumi config set --path 'openbao-migration:talos.nodeSubnets[0]' SUBNET",
        },
      ],
);

/** As Talos shows it again: an IPv6 address can be written in many ways. */
function canonical(text: string): string {
  const [address = "", bits = ""] = text.split("/");
  const shown = isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
  return `${shown}/${Number(bits)}`;
}

function isSubnet(text: string): boolean {
  const [address = "", bits = "", ...rest] = text.split("/");
  const family = isIP(address);
  return (
    family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
  );
}
