import assert from "node:assert/strict";
import { managedBy } from "../support/fakeFields";
import { CANARY, LandedWorld, MANIFEST } from "../support/landedWorld";

const STATEFUL_SET = "/apis/apps/v1/namespaces/openbao/statefulsets/openbao";
const SERVICE = "/api/v1/namespaces/openbao/services/openbao";
const POLICY = "/apis/networking.k8s.io/v1/namespaces/openbao/networkpolicies/openbao";
const BUDGET = "/apis/policy/v1/namespaces/openbao/poddisruptionbudgets/openbao";
const AT = "2026-11-24T11:00:00Z";

/** The StatefulSet's first. */
function containerOf(spec: object): Record<string, unknown> {
  const { template } = spec as { template: { spec: { containers: Record<string, unknown>[] } } };
  return template.spec.containers[0]!;
}

describe("the proof that the landed objects and pods are those that run (I39)", () => {
  let landed: LandedWorld;
  beforeEach(async () => (landed = (await LandedWorld.make()).onRun()));

  describe("live objects against Helm's manifest (I39)", () => {
    it("names a changed field of a container, by its name, and who else wrote the object", async () => {
      const path = ["spec", "template", "spec", "containers"];
      landed.edit(
        STATEFUL_SET,
        ({ spec }) => {
          const container = containerOf(spec);
          container["image"] = `openbao:${CANARY}`;
          container["resources"] = { limits: { cpu: "2", memory: "512Mi" }, requests: { cpu: "250m" } };
        },
        managedBy("kubectl-set", "Update", AT, [path]),
      );
      await landed.refused(
        /StatefulSet openbao spec\.template\.spec\.containers\[openbao\]\.image \(different, by kubectl-set \(Update, 2026-11-24T11:00:00Z\)\)/,
        /containers\[openbao\]\.resources\.limits\.cpu \(different/,
        /have Helm apply its manifest again/,
      );
    });

    it("names an added variable, a missing rule and a gone object; each in one refusal", async () => {
      landed.edit(STATEFUL_SET, ({ spec }) => {
        (containerOf(spec)["env"] as object[]).push({ name: "MORE", value: CANARY });
      });
      landed.edit(POLICY, ({ spec }) => Object.assign(spec, { ingress: [{ ports: [{ port: 8200 }] }] }));
      landed.kube.drop(BUDGET);
      await landed.refused(
        /containers\[openbao\]\.env\[MORE\] \(added\)/,
        /NetworkPolicy openbao spec\.ingress\[0\]\.ports\[1\] \(gone\)/,
        /PodDisruptionBudget openbao \(all\) \(gone\)/,
      );
    });

    it("names a label and an annotation that the manifest has, and leaves others alone", async () => {
      landed.edit(SERVICE, ({ metadata }) => Object.assign(metadata!, { labels: { other: "x" } }));
      await landed.refused(/Service openbao metadata\.labels\["app\.kubernetes\.io\/name"\] \(gone/);
    });

    it("reads the manifest as Kubernetes does: 0640 is octal", async () => {
      landed.helm({ manifest: MANIFEST.replace("0640", "0600") });
      await landed.refused(/volumes\[config\]\.configMap\.defaultMode \(different\)/);
    });

    it("quotes nothing of a manifest that is no YAML", async () => {
      landed.helm({ manifest: `a: [${CANARY}` });
      await assert.rejects(landed.run(), (error: Error) => {
        assert.match(error.message, /not YAML that can be read/);
        return !error.message.includes(CANARY);
      });
    });
  });

  describe("pods (I39)", () => {
    it("names a pod that was restarted since before the un-pause, once: told, the next run takes it as it is", async () => {
      landed.pods(1);
      await landed.refused(/pod openbao-1 not the pods of before the un-pause \(restarts 0, then 1\)/);
      await landed.world.context.journal.append({
        step: "zero-drift",
        beat: "refused",
        observed: { why: "pod openbao-1 not the pods of before the un-pause (restarts 0, then 1)" },
      });
      assert.equal((await landed.run()).observed["pods"], "restarted, told once");
    });

    it("names it again when the run that saw it was killed before it told (I39)", async () => {
      landed.pods(1);
      await landed.refused(/openbao-1/);
      await landed.refused(/openbao-1 .*restarts 0, then 1/);
    });

    it("names a pod with another uid, and one that is gone", async () => {
      landed.edit("/api/v1/namespaces/openbao/pods/openbao-2", ({ metadata }) =>
        Object.assign(metadata!, { uid: "another" }),
      );
      landed.kube.drop("/api/v1/namespaces/openbao/pods/openbao-0");
      await landed.refused(/pod openbao-0 .*\(gone\)/, /pod openbao-2 .*\(another uid\)/);
    });
  });

  describe("with delivery helm (I39)", () => {
    beforeEach(async () => (landed = await LandedWorld.make(false)));

    it("holds for the landed file, Helm's record, the objects and the pods, and writes nothing but the journal", async () => {
      const { observed } = await landed.run();
      assert.deepEqual(
        [observed["values"], observed["revision"], observed["pods"], observed["ranAgain"]],
        ["all", 8, "same", false],
      );
      assert.deepEqual(
        landed.kube.writes.filter(({ path }) => !path.includes("journal")),
        [],
      );
    });

    it("names what the landed file says and Helm does not hold; what other files say is told, and stays", async () => {
      landed.helm({ values: landed.valuesWith((server) => (server["logLevel"] = "debug")) });
      assert.deepEqual((await landed.run()).observed["besides"], ["server.logLevel"]);
      landed = await LandedWorld.make(false);
      landed.helm({ values: landed.valuesWith((server) => (server["resources"] = { limits: CANARY })) });
      await landed.refused(
        /Helm release openbao values\.server\.resources\.limits \(other than in Git\)/,
        /helm upgrade openbao -n openbao with the landed file/,
      );
    });

    it("names objects, chart and pods that are other than before", async () => {
      landed.helm({ chartVersion: "0.30.0" }).pods(2);
      landed.kube.drop(SERVICE);
      await landed.refused(/pod openbao-1/, /chart \(openbao 0\.30\.0/, /Service openbao \(all\) \(gone\)/);
    });
  });

  it("shows at most twelve places, pods first, and how many more (I39)", async () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`k${n}`, n]));
    landed.helm({ values: { ...landed.values, ...many } }).pods(3);
    await landed.refused(/landed: pod openbao-1 .* and 9 more\./, /^((?!k19).)*$/s);
  });
});
