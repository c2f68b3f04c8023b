import { STAGES } from "../../config";
import { fail, faults, notApplicable, pass, seen, seenObject, shortList, unclear, type Check } from "./check";
import { fittingNodes, placesOf } from "./nodeFit";
import { hasMoved, observedStage } from "./progress";
import { openRaftPorts } from "./raftPorts";
import { POLICY_NAME } from "./readPolicies";

/** Nodes, policies, names and addresses. */
export const networkChecks: readonly Check[] = [
  {
    id: "nodes-for-replicas",
    stage: "replicas",
    hazard: { ids: ["I42"], loss: "a follower stays Pending, and two voters tolerate no loss" },
    severity: "block",
    waivable: false,
    observe: "nodes that are ready, open, tolerated and selected, by the StatefulSet's anti-affinity",
    judge: ({ statefulSet, nodes }, config) => {
      const expected = `${config.replicas} nodes for ${config.replicas} replicas`;
      return seenObject(statefulSet, "the StatefulSet", expected, (set) =>
        seen(nodes, expected, (all) => {
          const fitting = fittingNodes(set, all);
          const hosts = new Set(fitting.map((node) => node.hostname)).size;
          const apart = set.spreadKeys.length > 0;
          const found = `${hosts} of ${all.length} nodes fit${apart ? "" : " (no required anti-affinity)"}`;
          if (hosts < (apart ? config.replicas : 1)) return fail(found, expected);
          // Each required topology key needs as many places as there are replicas: one zone takes one server.
          const short = set.spreadKeys
            .map((key) => placesOf(key, fitting))
            .find((one) => one.places < config.replicas);
          if (short === undefined) return pass(found, expected);
          const { key, places, unlabelled } = short;
          const seenPlaces = `${found}, with ${places} value(s) of ${key} (required anti-affinity)`;
          return unlabelled.length > 0
            ? unclear(`${seenPlaces}; without that label: ${shortList(unlabelled)}`, expected)
            : fail(seenPlaces, expected);
        }),
      );
    },
    remedy: "add or uncordon nodes, or set server.tolerations / server.affinity",
    source: "openbao-helm values.yaml server.affinity; kleidia migration script",
  },
  {
    id: "raft-ports",
    stage: "every",
    hazard: {
      ids: ["H4", "I31", "F44", "F45", "F46"],
      loss: "followers cannot join: 8200 carries the challenge, 8201 the log",
    },
    severity: "block",
    waivable: false,
    observe:
      "NetworkPolicies and CiliumNetworkPolicies that take in the server's pods, both ports, both directions",
    judge: (snapshot) => {
      const expected = "8200 and 8201 open between server pods, ingress and egress";
      const ports = openRaftPorts(snapshot);
      if (!ports.known) {
        const part = snapshot.policies.known ? snapshot.ciliumPolicies : snapshot.policies;
        return unclear(part.known ? "the policies are not known" : part.why, expected);
      }
      if (ports.open) return pass("open", expected);
      // Before the move stage network adds the rule and proves it by connecting.
      if (!hasMoved(snapshot)) return notApplicable("stage network opens them");
      return fail(`closed: ${ports.closed.join(", ")}`, expected);
    },
    remedy: "pulumi up --refresh with openbao-migration:stage network, or put the rule back in Git",
    source: "platform#1985; openbao#2274",
  },
  {
    id: "cilium-deny",
    stage: "network",
    hazard: { ids: ["F44", "F46"], loss: "a deny rule beats the rule that the program adds" },
    severity: "block",
    waivable: true,
    observe: "deny rules of Cilium policies that take in the server's pods",
    judge: ({ ciliumPolicies }) => {
      const expected = "no ingressDeny or egressDeny on the server's pods";
      return seen(ciliumPolicies, expected, (policies) => {
        if (policies === undefined) return notApplicable("no Cilium policies here");
        return faults(
          policies.filter((policy) => policy.denies).map((policy) => `${policy.kind} ${policy.name}`),
          "none",
          expected,
        );
      });
    },
    remedy: "except the server's pods from the deny rule",
    source: "docs.cilium.io, deny policies",
  },
  {
    id: "cilium-isolates",
    stage: "network",
    hazard: {
      ids: ["H4", "F46"],
      loss: "a policy of the program's name that opens too little is taken for the one that opens Raft",
    },
    severity: "block",
    waivable: true,
    observe: "CiliumNetworkPolicies that isolate the server's pods, and the one that stage network adds",
    judge: (snapshot) => {
      const expected = "Cilium policies that let server pods reach each other on 8200 and 8201";
      return seen(snapshot.ciliumPolicies, expected, (policies) => {
        if (policies === undefined) return notApplicable("no Cilium policies here");
        const closed = openRaftPorts(snapshot).closed.filter((one) => one.includes("Cilium"));
        if (closed.length === 0) return pass("open", expected);
        // Kubernetes has no two objects of one kind and name, so that a stranger of this name is replaced, not joined.
        return policies.some((policy) => policy.kind === "CiliumNetworkPolicy" && policy.name === POLICY_NAME)
          ? fail(`closed beside CiliumNetworkPolicy ${POLICY_NAME}: ${shortList(closed)}`, expected)
          : pass(`stage network opens: ${shortList(closed)}`, expected);
      });
    },
    remedy: "pulumi up --refresh puts the program's own rule back; rename a policy of yours with this name",
    source: "platform#1985 (allow-openbao)",
  },
  {
    id: "headless-service",
    stage: "replicas",
    hazard: {
      ids: ["F49", "I15"],
      loss: "a follower's name does not resolve before it is ready, so it never joins",
    },
    severity: "block",
    waivable: false,
    observe: "the headless Service of the StatefulSet",
    judge: ({ services, statefulSet }) => {
      const expected = "a headless Service with publishNotReadyAddresses and port 8200 and 8201";
      return seenObject(statefulSet, "the StatefulSet", expected, (set) =>
        seen(services, expected, (all) => {
          const service = all.find((one) => one.name === set.serviceName);
          if (service === undefined) return fail(`no Service "${set.serviceName}"`, expected);
          const bad = [
            ...(service.headless ? [] : ["it has a cluster IP"]),
            ...(service.publishesNotReady ? [] : ["it hides pods that are not ready"]),
            ...[8200, 8201].filter((port) => !service.ports.includes(port)).map((port) => `no port ${port}`),
          ];
          return faults(bad, set.serviceName, expected);
        }),
      );
    },
    remedy: "use the chart's own headless Service: it sets all three",
    source: "facts/environment.md section 2",
  },
  {
    id: "active-service",
    stage: "land",
    hazard: { ids: ["I9"], loss: "clients of the active Service reach nothing, or a standby" },
    severity: "block",
    waivable: true,
    observe: "EndpointSlices of Service <release>-active",
    judge: (snapshot, { release }) => {
      const expected = "exactly one pod behind it";
      const stage = observedStage(snapshot);
      if (stage === "none" || STAGES.indexOf(stage) < STAGES.indexOf("replicas")) {
        return notApplicable("there is one after stage replicas");
      }
      return seen(snapshot.activeEndpoints, expected, ({ pods }) =>
        pods.length === 1
          ? pass(pods[0]!, expected)
          : fail(`${pods.length} behind ${release}-active`, expected),
      );
    },
    remedy:
      "look for a webhook that freezes the label openbao-active, and at the API server's reach from the pod",
    source: "platform#1999, #2002",
  },
  {
    id: "plain-service-clients",
    stage: "replicas",
    hazard: { ids: ["I7", "I3"], loss: "clients of the plain Service reach sealed servers too, and get 503" },
    severity: "warn",
    waivable: true,
    observe:
      "addresses in SecretStores and ClusterSecretStores, and in the namespace in CronJobs, Ingresses and HTTPRoutes that are not the chart's",
    judge: ({ clients }, { release, namespace }) => {
      const expected = `clients that name Service ${release}-active`;
      return seen(clients, expected, (all) => {
        const hosts = [release, `${release}.${namespace}`, `${release}.${namespace}.svc`];
        const plain = all.filter(({ server }) => {
          const host = /^https?:\/\/([^/:]+)/.exec(server)?.[1] ?? "";
          return hosts.includes(host.replace(/\.cluster\.local$/, ""));
        });
        return faults(
          [...new Set(plain.map((client) => client.name))],
          all.length === 0 ? "no clients" : "none names it",
          expected,
        );
      });
    },
    remedy:
      "point them at RELEASE-active once stage replicas is done (the Service exists from the cutover on)",
    source: "platform#1964, #2055",
  },
  {
    id: "host-network",
    stage: "network",
    hazard: {
      ids: ["H4"],
      loss: "on the host's network only a host firewall rule opens 8201, and no policy does",
    },
    severity: "warn",
    waivable: true,
    observe: "hostNetwork of the StatefulSet's template",
    judge: ({ statefulSet }) => {
      const expected = "pods on the pod network";
      return seenObject(statefulSet, "the StatefulSet", expected, (set) =>
        set.hostNetwork ? fail("hostNetwork: true", expected) : pass("pod network", expected),
      );
    },
    remedy: "open 8200 and 8201 tcp between nodes in the host firewall (Talos: NetworkRuleConfig)",
    source: "facts/environment.md section 7",
  },
];
