import assert from "node:assert/strict";
import type { V1NetworkPolicy, V1Pod } from "@kubernetes/client-node";
import { rulesetFor } from "../../rehearsal/standins/networkPolicy/rulesetFor";
import type { Packet } from "../support/nftVerdict";
import {
  bao,
  bao1,
  job,
  client,
  dns,
  pods,
  namespaces,
  pod,
  policy,
  passes,
  ip,
  tcp,
} from "../support/policyWorld";

describe("networkPolicy stand-in: which pods are isolated", () => {
  it("lets everything through while no policy selects a pod", () => {
    assert.ok(passes([], tcp(client, bao)));
  });

  it("denies ingress to every pod of the namespace, and of no other, for an empty podSelector", () => {
    const deny = [policy({ policyTypes: ["Ingress"] })];
    assert.equal(passes(deny, tcp(client, bao)), false);
    assert.equal(passes(deny, tcp(bao, job)), false);
    assert.ok(passes(deny, tcp(bao, client)));
  });

  it("isolates only the pods that podSelector matches", () => {
    const deny = [policy({ podSelector: { matchLabels: { app: "openbao" } } })];
    assert.equal(passes(deny, tcp(client, bao)), false);
    assert.ok(passes(deny, tcp(client, job)));
  });

  it("isolates the direction in policyTypes and leaves the other open", () => {
    assert.ok(passes([policy({ policyTypes: ["Ingress"] })], tcp(bao, client)));
    assert.equal(passes([policy({ policyTypes: ["Egress"] })], tcp(bao, client)), false);
    assert.ok(passes([policy({ policyTypes: ["Egress"] })], tcp(client, bao)));
  });

  it("takes a policy without policyTypes for ingress, and for egress too when it has egress rules", () => {
    assert.equal(passes([policy({})], tcp(client, bao)), false);
    assert.ok(passes([policy({})], tcp(bao, client)));
    const withEgress = policy({ egress: [{ to: [{ podSelector: {} }] }] });
    assert.equal(passes([withEgress], tcp(bao, client)), false);
    assert.equal(passes([withEgress], tcp(client, bao)), false);
  });

  it("needs both ends to allow: egress of the sender and ingress of the receiver", () => {
    const egress = policy({ policyTypes: ["Egress"], egress: [{ to: [{ podSelector: {} }] }] }, "egress");
    const noIngress = policy({ podSelector: { matchLabels: { app: "openbao" } } }, "ingress");
    assert.ok(passes([egress], tcp(job, bao)));
    assert.equal(passes([egress, noIngress], tcp(job, bao)), false);
  });

  it("leaves hostNetwork pods and finished pods alone, whose address belongs to others", () => {
    const onHost = { ...bao, spec: { ...bao.spec!, hostNetwork: true } };
    const finished = { ...job, status: { ...job.status, phase: "Succeeded" } };
    assert.ok(passes([policy({})], tcp(client, bao), [onHost, client]));
    assert.ok(passes([policy({})], tcp(client, job), [finished, client]));
  });

  it("keeps established connections, and a pod's traffic with itself", () => {
    const deny = [policy({ policyTypes: ["Ingress", "Egress"] })];
    assert.ok(passes(deny, { ...tcp(client, bao), established: true }));
    assert.ok(passes(deny, tcp(bao, bao)));
  });
});

describe("networkPolicy stand-in: who is a peer", () => {
  const from = (...peers: object[]): V1NetworkPolicy[] => [policy({ ingress: [{ from: peers }] })];

  it("allows any source for a rule without from, with an empty from, and for an empty rule", () => {
    for (const rule of [{}, { from: [] }, { ports: [] }]) {
      assert.ok(passes([policy({ ingress: [rule] })], tcp("192.0.2.1", bao)), JSON.stringify(rule));
    }
  });

  it("reads podSelector alone as pods of the policy's own namespace", () => {
    assert.ok(passes(from({ podSelector: {} }), tcp(bao1, bao)));
    assert.equal(passes(from({ podSelector: {} }), tcp(client, bao)), false);
    assert.equal(passes(from({ podSelector: { matchLabels: { app: "client" } } }), tcp(client, bao)), false);
  });

  it("reads namespaceSelector alone as every pod of the namespaces that match", () => {
    const peers = from({ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "apps" } } });
    assert.ok(passes(peers, tcp(client, bao)));
    assert.equal(passes(peers, tcp(dns, bao)), false);
    assert.ok(passes(from({ namespaceSelector: {} }), tcp(dns, bao)));
    assert.equal(passes(from({ namespaceSelector: {} }), tcp("192.0.2.1", bao)), false);
  });

  it("joins both selectors of one peer by and, and peers of a list by or", () => {
    const apps = { namespaceSelector: { matchLabels: { team: "apps" } } };
    const web = { podSelector: { matchLabels: { tier: "web" } } };
    assert.ok(passes(from({ ...apps, ...web }), tcp(client, bao)));
    assert.equal(
      passes(from({ ...apps, podSelector: { matchLabels: { tier: "other" } } }), tcp(client, bao)),
      false,
    );
    assert.ok(passes(from(web, apps), tcp(client, bao)));
    assert.equal(passes(from(web, apps), tcp(bao1, bao)), false);
  });

  it("allows an ipBlock without its exceptions, down to the edges", () => {
    const peers = from({ ipBlock: { cidr: "192.0.2.0/24", except: ["192.0.2.64/26", "192.0.2.255/32"] } });
    const verdicts = [
      "192.0.1.255",
      "192.0.2.0",
      "192.0.2.63",
      "192.0.2.64",
      "192.0.2.127",
      "192.0.2.128",
    ].map((address) => passes(peers, tcp(address, bao)));
    assert.deepEqual(verdicts, [false, true, true, false, false, true]);
    assert.equal(passes(peers, tcp("192.0.2.255", bao)), false);
    assert.equal(passes(peers, tcp("192.0.3.0", bao)), false);
  });

  it("allows every address for 0.0.0.0/0 and none for an IPv6 block", () => {
    assert.ok(passes(from({ ipBlock: { cidr: "0.0.0.0/0" } }), tcp("255.255.255.255", bao)));
    assert.equal(passes(from({ ipBlock: { cidr: "::/0" } }), tcp("192.0.2.1", bao)), false);
  });

  it("understands In, NotIn, Exists and DoesNotExist in matchExpressions", () => {
    const matches = (operator: string, key: string, values?: string[]): boolean =>
      passes(
        from({ namespaceSelector: {}, podSelector: { matchExpressions: [{ key, operator, values }] } }),
        tcp(client, bao),
      );
    assert.deepEqual(
      [matches("In", "tier", ["web", "x"]), matches("In", "tier", ["x"]), matches("In", "none", ["web"])],
      [true, false, false],
    );
    assert.deepEqual(
      [matches("NotIn", "tier", ["web"]), matches("NotIn", "tier", ["x"]), matches("NotIn", "none", ["x"])],
      [false, true, true],
    );
    assert.deepEqual([matches("Exists", "tier"), matches("Exists", "none")], [true, false]);
    assert.deepEqual([matches("DoesNotExist", "tier"), matches("DoesNotExist", "none")], [false, true]);
  });

  it("adds up the allowances of several policies", () => {
    const policies = [
      policy({ policyTypes: ["Ingress"] }, "deny"),
      policy({ ingress: [{ from: [{ podSelector: { matchLabels: { app: "job" } } }] }] }, "job"),
    ];
    assert.ok(passes(policies, tcp(job, bao)));
    assert.equal(passes(policies, tcp(client, bao)), false);
  });

  it("reads the typed client's spelling of from like the API's", () => {
    const typed = policy({ ingress: [{ _from: [{ podSelector: { matchLabels: { app: "job" } } }] }] });
    assert.ok(passes([typed], tcp(job, bao)));
    assert.equal(passes([typed], tcp(client, bao)), false);
  });
});

describe("networkPolicy stand-in: which ports", () => {
  const ports = (...list: object[]): V1NetworkPolicy[] => [policy({ ingress: [{ ports: list }] })];

  it("allows the listed port and protocol only; TCP when none is named", () => {
    assert.ok(passes(ports({ port: 8200 }), tcp(client, bao)));
    assert.equal(passes(ports({ port: 8200 }), tcp(client, bao, 8201)), false);
    assert.equal(passes(ports({ port: 8200 }), { ...tcp(client, bao), protocol: "udp" }), false);
    assert.ok(passes(ports({ port: 8200, protocol: "UDP" }), { ...tcp(client, bao), protocol: "udp" }));
  });

  it("allows every port of a protocol that is listed without a port", () => {
    assert.ok(passes(ports({ protocol: "UDP" }, { port: 1 }), { ...tcp(client, bao, 999), protocol: "udp" }));
    assert.equal(passes(ports({ protocol: "UDP" }, { port: 1 }), tcp(client, bao, 999)), false);
  });

  it("allows port to endPort, both included, also where ranges overlap", () => {
    const range = ports({ port: 8200, endPort: 8202 }, { port: 8201, endPort: 8203 });
    const verdicts = [8199, 8200, 8203, 8204].map((port) => passes(range, tcp(client, bao, port)));
    assert.deepEqual(verdicts, [false, true, true, false]);
  });

  it("resolves a named port on each receiving pod for itself", () => {
    assert.ok(passes(ports({ port: "http" }), tcp(client, bao, 8200)));
    assert.ok(passes(ports({ port: "http" }), tcp(client, bao1, 18200)));
    assert.equal(passes(ports({ port: "http" }), tcp(client, bao1, 8200)), false);
    const egress = [policy({ egress: [{ to: [{ podSelector: {} }], ports: [{ port: "http" }] }] })];
    const open = [...egress, ...ports({})];
    assert.ok(passes(open, tcp(job, bao1, 18200)));
    assert.equal(passes(open, tcp(job, bao1, 8200)), false);
  });

  it("allows nothing for a named port that no receiver has", () => {
    assert.equal(passes(ports({ port: "metrics" }), tcp(client, bao)), false);
  });

  it("drops other protocols than the listed ones, and lets them pass where no port is listed", () => {
    const ping: Packet = { from: ip(client), to: ip(bao), protocol: "icmp" };
    assert.equal(passes(ports({ port: 8200 }), ping), false);
    assert.ok(passes([policy({ ingress: [{}] })], ping));
  });

  it("lets DNS out and nothing else for the usual egress rule", () => {
    const dnsOnly = policy({
      policyTypes: ["Egress"],
      egress: [
        {
          to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } }],
          ports: [{ port: 53, protocol: "UDP" }, { port: 53 }],
        },
      ],
    });
    assert.ok(passes([dnsOnly], { ...tcp(bao, dns, 53), protocol: "udp" }));
    assert.ok(passes([dnsOnly], tcp(bao1, dns, 53)));
    assert.equal(passes([dnsOnly], tcp(bao, dns, 8080)), false);
    assert.equal(passes([dnsOnly], tcp(bao, client, 53)), false);
  });
});

describe("networkPolicy stand-in: the ruleset as a whole", () => {
  it("replaces the table in one transaction", () => {
    const [first, second, third] = rulesetFor("node-1", pods, namespaces, [policy({})]).split("\n");
    assert.deepEqual(
      [first, second, third],
      ["add table inet obr-netpol", "delete table inet obr-netpol", "table inet obr-netpol {"],
    );
  });

  it("is the same text whatever order the objects come in, so that nothing is rewritten in vain", () => {
    const policies = [policy({}, "a"), policy({ ingress: [{ from: [{ namespaceSelector: {} }] }] }, "b")];
    const one = rulesetFor("node-1", pods, namespaces, policies);
    const other = rulesetFor(
      "node-1",
      [...pods].reverse(),
      [...namespaces].reverse(),
      [...policies].reverse(),
    );
    assert.equal(one, other);
  });

  it("has as many rules for many pods as for one: pods are elements of sets", () => {
    const rules = (world: V1Pod[]): number =>
      rulesetFor("node-1", world, namespaces, [policy({ ingress: [{ from: [{ podSelector: {} }] }] })])
        .split("\n")
        .filter((line) => /return|drop|jump/.test(line)).length;
    const many = Array.from({ length: 50 }, (_, n) =>
      pod(`p${n}`, "openbao", "node-1", `10.98.1.${n + 50}`, {}),
    );
    assert.equal(rules([...pods, ...many]), rules(pods));
  });

  it("keeps a comment within the 128 bytes that nft takes", () => {
    const long = { ...policy({ ingress: [{}] }), metadata: { name: "n".repeat(250), namespace: "openbao" } };
    const comment = /comment "([^"]*)"/.exec(rulesetFor("node-1", pods, namespaces, [long]))?.[1] ?? "";
    assert.ok(comment.startsWith("openbao/n") && comment.length <= 128, comment);
  });
});
