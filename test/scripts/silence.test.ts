import assert from "node:assert/strict";
import { KubeError } from "../../components/cluster/kubeClient";
import { NoAnswer, OpenBaoUnreachable, type OpenBao } from "../../components/cluster/openBaoClient";
import { UnexpectedReply } from "../../components/cluster/openBaoStatus";
import { removeProbes } from "../../components/steps/networkProbe";
import { Refused, runBeats } from "../../components/steps/runStep";
import { failoverDrill } from "../../components/steps/scripts/failoverDrill";
import { init } from "../../components/steps/scripts/init";
import { restore } from "../../components/steps/scripts/restore";
import { services } from "../../components/steps/scripts/services";
import { activePod, until } from "../../components/steps/world";
import { EmptyStoreWorld, KEY_SECRET } from "../support/emptyStoreWorld";
import { StepWorld } from "../support/stepContext";

const SEAL = "GET /v1/sys/seal-status";
const silent = () => new OpenBaoUnreachable("openbao-0: silent", { cause: new NoAnswer("late") });

describe("a wait", () => {
  const passing: Record<string, Error> = {
    "no connection": new OpenBaoUnreachable("openbao-0: refused"),
    "a server's own error": new UnexpectedReply("openbao-0: HTTP 503", 503),
    "a standby that does not reach its new leader yet": new UnexpectedReply("openbao-0: HTTP 307", 307),
    "an API server that is away": new KubeError("no answer", 0, "NoAnswer"),
  };
  for (const [title, failure] of Object.entries(passing)) {
    it(`goes on after ${title}, and tells of it when its time is over`, async () => {
      let looks = 0;
      const look = () => (++looks === 1 ? Promise.reject(failure) : Promise.resolve({ value: looks }));
      assert.equal(await until("x", 5, look), 2);
      await assert.rejects(
        until("x", 0, () => Promise.reject(failure)),
        { reason: "Timeout", message: new RegExp(`last seen: ${failure.message}`) },
      );
    });
  }

  const final: Record<string, Error> = {
    "a refusal": new Refused("no [F1]", "F1"),
    "a missing right": new KubeError("HTTP 403", 403, "Forbidden"),
    "a token that is not known": new UnexpectedReply("HTTP 403", 403),
    "another wait's end": new KubeError("waited", 0, "Timeout"),
  };
  for (const [title, failure] of Object.entries(final))
    it(`ends at once with ${title}`, async () => {
      await assert.rejects(
        until("x", 5, () => Promise.reject(failure)),
        (error: unknown) => error === failure,
      );
    });
});

describe("an election that is under way", () => {
  it("is waited for: a moment without an active node is no refusal (I28)", async () => {
    const world = new StepWorld("failover-drill").onRaft();
    const server = world.servers["openbao-0"]!;
    server.isLeader = false;
    setTimeout(() => (server.isLeader = true), 50);
    const seen = await failoverDrill.observe(world.context);
    assert.deepEqual(seen, { state: "todo", observed: { leader: "openbao-0" } });
  });

  it("is not waited for beyond the bound", async () => {
    const { context } = new StepWorld("failover-drill");
    const input = { ...context.input, podTimeoutSeconds: 0 };
    assert.equal(await activePod({ ...context, input }, ["openbao-0"]), undefined);
  });
});

describe("a store that is being opened", () => {
  it("is not taken for one that the stored key does not open (I3, F29)", async () => {
    const empty = await new EmptyStoreWorld("restore").ready();
    try {
      let given = 0;
      let quiet = 0;
      empty.server.after.push((name) => {
        // The second key is the stored one, given to the restored store: its reply is lost, and silence follows.
        if (name !== "PUT /v1/sys/unseal" || ++given !== 2) return;
        quiet = 2;
        throw silent();
      });
      empty.server.before.push((name) => {
        if (name === SEAL && quiet > 0 && quiet-- > 0) throw silent();
      });
      assert.equal((await runBeats(restore, empty.context)).observed["clusterId"], "source");
      assert.deepEqual([empty.wipes, quiet], [0, 0]);
      assert.ok(given >= 2);
    } finally {
      empty.remove();
    }
  });

  it("was not initialised when it says so after its silence: nobody is told to take it away (F15)", async () => {
    const empty = await new EmptyStoreWorld("reseed").ready();
    try {
      let quiet = 0;
      empty.server.before.push((name) => {
        if (name === "PUT /v1/sys/init") {
          quiet = 1;
          throw silent();
        }
        if (name === SEAL && quiet-- > 0) throw silent();
      });
      await assert.rejects(runBeats(init, empty.context), OpenBaoUnreachable);
    } finally {
      empty.remove();
    }
  });

  it("is not called shut for ever because the key Secret could not be read (F15)", async () => {
    const empty = await new EmptyStoreWorld("reseed").ready();
    try {
      empty.server.after.push((name) => {
        if (name === "PUT /v1/sys/init") throw new Error("killed here");
      });
      await assert.rejects(runBeats(init, empty.context), /killed here/);
      empty.world.kube.fail("get", KEY_SECRET, 503);
      await assert.rejects(runBeats(init, empty.context), { name: "KubeError", status: 503 });
    } finally {
      empty.remove();
    }
  });
});

describe("step services (I34)", () => {
  const lookup = (statuses: number[], mounts = 404) => {
    const world = new StepWorld("services").onRaft();
    const { context } = world;
    const bao = (pod: string): OpenBao => {
      const node = context.bao(pod);
      const request: OpenBao["request"] = (method, path, call) =>
        path.endsWith("/lookup-self")
          ? Promise.resolve({ status: statuses.shift() ?? 500, body: {} })
          : path.endsWith("/sys/mounts")
            ? Promise.resolve({ status: mounts, body: {} })
            : node.request(method, path, call);
      return { where: pod, request, close: () => undefined };
    };
    return services.act({ ...context, bao });
  };

  it("asks again when a node has not found the new active one yet", () => lookup([503, 200]));

  it("fails on a node that answers no audited read", async () =>
    assert.rejects(lookup([]), /is its audit volume full\? \[I34\].*HTTP 500/));

  it("reads the mounts with a token that may not look at itself (F27)", () => lookup([403], 200));

  it("fails at once when the token is not known", async () => assert.rejects(lookup([403]), /HTTP 403/));
});

describe("the active Service after the drill (I34)", () => {
  const SLICES = "/apis/discovery.k8s.io/v1/namespaces/openbao/endpointslices";

  it("has one endpoint in two IP families: a slice for each, with the same pod", async () => {
    const { kube, context } = new StepWorld("services").onRaft();
    for (const family of ["ipv4", "ipv6"])
      kube.put(`${SLICES}/openbao-active-${family}`, {
        metadata: { labels: { "kubernetes.io/service-name": "openbao-active" } },
        endpoints: [{ targetRef: { name: "openbao-1" } }],
      });
    assert.deepEqual((await services.verify(context))["endpoints"], ["openbao-1"]);
  });

  it("is asked for by name when it is not there", async () => {
    const { kube, context } = new StepWorld("services").onRaft();
    kube.serve(SLICES);
    const input = { ...context.input, podTimeoutSeconds: 1 };
    await assert.rejects(
      services.verify({ ...context, input }),
      /no EndpointSlice: is there a Service openbao-active \(chart value server\.service\.active\.enabled\)/,
    );
  });
});

describe("probe pods that are to be removed", () => {
  const POD = "/api/v1/namespaces/openbao/pods/openbao-raft-probe-0";

  it("may be gone already", async () => {
    const { kube, context } = new StepWorld("network-probe");
    kube.put(POD, { metadata: { labels: { "openbao-raft-migration/probe": "server" } } });
    kube.answer("remove", POD, () => {
      kube.drop(POD);
      throw new KubeError("gone", 404, "NotFound");
    });
    await removeProbes(context);
    assert.equal(kube.peek(POD), undefined);
  });

  it("are not left behind in silence: another failure is told", async () => {
    const { kube, context } = new StepWorld("network-probe");
    kube.put(POD, { metadata: { labels: { "openbao-raft-migration/probe": "server" } } });
    kube.fail("remove", POD, 403);
    await assert.rejects(removeProbes(context), { status: 403 });
  });
});
