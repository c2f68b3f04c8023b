import assert from "node:assert/strict";
import os, { hostname } from "node:os";
import { KubeError } from "../../components/cluster/kubeClient";
import {
  isDeadHere,
  isLongOver,
  LEASE_NAME,
  LeaseHeld,
  runIdentity,
  withLease,
  type Fence,
  type LeaseObject,
} from "../../components/cluster/lease";
import { FakeKube } from "../support/fakeKube";

const LEASES = "/apis/coordination.k8s.io/v1/namespaces/openbao/leases";
const LEASE = `${LEASES}/${LEASE_NAME}`;

function leaseOf(kube: FakeKube): NonNullable<LeaseObject["spec"]> {
  return kube.peek<LeaseObject>(LEASE)?.spec ?? {};
}

/** A Lease that somebody else holds; `ageSeconds` since its last renewal. */
function held(kube: FakeKube, holder: string, ageSeconds = 0, leaseDurationSeconds = 1): void {
  kube.put(LEASE, {
    metadata: { name: LEASE_NAME },
    spec: {
      holderIdentity: holder,
      leaseTransitions: 7,
      leaseDurationSeconds,
      renewTime: new Date(Date.now() - ageSeconds * 1000).toISOString(),
    },
  });
}

const hold = <T>(kube: FakeKube, holder: string, work: (fence: Fence) => Promise<T>) =>
  withLease(kube, "openbao", holder, work);

describe("the Lease (hazards F8, F9, F10)", () => {
  it("is made with fencing value 1, and kept for the run's next step", async () => {
    const kube = new FakeKube();
    const value = await hold(kube, "ann", async (fence) => {
      await fence.assertHeld();
      return fence.value;
    });
    assert.equal(value, 1);
    assert.equal(leaseOf(kube).holderIdentity, "ann");
    await hold(kube, "ann", async (fence) => assert.equal(fence.value, 1));
  });

  it("loses no result of the work because an answer to a renewal is no JSON", async () => {
    const kube = new FakeKube();
    const value = await hold(kube, "ann", () => {
      kube.answer("get", LEASE, () => {
        throw new SyntaxError("Unexpected token <");
      });
      return Promise.resolve("done");
    });
    assert.equal(value, "done");
  });

  it("goes to one of two that start at once; the other gets nothing done (hazard F8)", async () => {
    const kube = new FakeKube();
    const inside: string[] = [];
    const run = (holder: string, seconds: number) =>
      hold(kube, holder, async (fence) => {
        inside.push(holder);
        const end = Date.now() + seconds * 1000;
        // Renews as the timer would, so that the other sees a living run.
        while (Date.now() < end) {
          await new Promise((resolve) => setTimeout(resolve, 300));
          const lease = kube.peek<LeaseObject>(LEASE)!;
          await kube.replace(LEASE, { ...lease, spec: { ...lease.spec } } as LeaseObject);
        }
        await fence.assertHeld();
      });
    const [first, second] = await Promise.allSettled([run("ann", 3), run("bob", 3)]);
    assert.equal(first.status, "fulfilled");
    assert.equal(second.status === "rejected" && second.reason instanceof LeaseHeld, true);
    assert.match(String((second as PromiseRejectedResult).reason), /ann renewed the Lease/);
    assert.deepEqual(inside, ["ann"]);
  });

  it("is taken over when its holder is silent for its duration, with the next fencing value (hazard F9)", async () => {
    const kube = new FakeKube();
    held(kube, "bob@elsewhere/1-2");
    const started = Date.now();
    await hold(kube, "ann", async (fence) => assert.equal(fence.value, 8));
    assert.ok(Date.now() - started >= 1000, "a silent holder is waited for");
  });

  it("is taken over at once from a process of this machine that has ended", async () => {
    const kube = new FakeKube();
    held(kube, runIdentity().replace(/-\w+$/, "-1"), 0, 60);
    await hold(kube, "ann", async (fence) => assert.equal(fence.value, 8));
  });

  it("is not taken from a living process of this machine on its name alone", () => {
    assert.equal(isDeadHere(runIdentity()), false);
    assert.equal(isDeadHere("ann@elsewhere/4194305-1"), false);
    assert.equal(isDeadHere(`ann@${hostname()}/4194305-unknown`), false);
    assert.equal(isDeadHere(runIdentity().replace(/-\w+$/, "-1")), true);
  });

  it("is not taken at once from a run in another container of the same host name (hazard F9)", () => {
    const ended = runIdentity().replace(/-\w+$/, "-1");
    assert.equal(
      isDeadHere(ended.replace(/#\w+/, "#0123456789ab")),
      false,
      "another pid namespace, or another boot",
    );
    assert.equal(
      isDeadHere(ended.replace(/#\w+/, "")),
      false,
      "a machine that is told by its host name alone",
    );
    assert.equal(isDeadHere(ended, "/nowhere"), false, "this machine cannot be told apart");
    assert.equal(isDeadHere(`ann@${hostname()}/4194305-1`, "/nowhere"), false, "nor can either");
  });

  it("has a holder under a uid without a name too: docker run --user (hazard F9)", () => {
    const { userInfo } = os;
    os.userInfo = () => {
      throw new Error("uv_os_get_passwd returned ENOENT");
    };
    try {
      assert.match(runIdentity(), new RegExp(`^${process.getuid?.()}@`));
    } finally {
      os.userInfo = userInfo;
    }
  });

  it("is over by its date only when no clock difference explains it (hazard F60)", () => {
    const kube = new FakeKube();
    for (const [age, over] of [
      [0, false],
      [620, false],
      [640, true],
      [-3600, false],
    ] as const) {
      held(kube, "bob", age, 30);
      assert.equal(isLongOver(kube.peek<LeaseObject>(LEASE)!, Date.now()), over, `${age} s`);
    }
    assert.equal(isLongOver({ spec: { renewTime: "never" } }, Date.now()), false);
  });

  it("is not given back with a date in the past: renewals carry the time and this holder", async () => {
    const kube = new FakeKube();
    await hold(kube, "ann", () => Promise.resolve());
    const age = Date.now() - Date.parse(leaseOf(kube).renewTime ?? "");
    assert.ok(age >= 0 && age < 10_000, `${age} ms`);
    assert.equal(leaseOf(kube).leaseDurationSeconds, 20);
  });
});

describe("the fence refuses once the Lease is lost (hazard F10)", () => {
  const losses: Record<string, (kube: FakeKube) => void> = {
    "to another holder": (kube) => held(kube, "bob"),
    "to another run with this run's name: the fencing value differs": (kube) => held(kube, "ann"),
    "because it was deleted": (kube) => void kube.drop(LEASE),
  };
  for (const [title, lose] of Object.entries(losses)) {
    it(title, async () => {
      const kube = new FakeKube();
      await assert.rejects(
        hold(kube, "ann", async (fence) => {
          await fence.assertHeld();
          lose(kube);
          const left = JSON.stringify(kube.peek(LEASE) ?? null);
          try {
            await fence.assertHeld();
          } finally {
            assert.equal(JSON.stringify(kube.peek(LEASE) ?? null), left);
          }
        }),
        LeaseHeld,
      );
    });
  }

  it("and the end of the run leaves the other's Lease as it is", async () => {
    const kube = new FakeKube();
    await hold(kube, "ann", () => {
      held(kube, "bob");
      return Promise.resolve();
    });
    assert.equal(leaseOf(kube).holderIdentity, "bob");
    assert.equal(leaseOf(kube).leaseTransitions, 7);
  });

  it("an API server that does not answer is not taken for a held Lease", async () => {
    const kube = new FakeKube();
    await assert.rejects(
      hold(kube, "ann", async (fence) => {
        kube.answer("get", LEASE, () => {
          throw new KubeError("no answer", 0, "NoAnswer");
        });
        await fence.assertHeld();
      }),
      KubeError,
    );
  });

  it("a create that another won is looked at again, not taken for a success", async () => {
    const kube = new FakeKube();
    let first = true;
    kube.answer("create", LEASES, () => {
      if (!first) return undefined;
      first = false;
      held(kube, "bob", 3600);
      throw new KubeError("exists", 409, "AlreadyExists");
    });
    await hold(kube, "ann", async (fence) => assert.equal(fence.value, 8));
  });
});
