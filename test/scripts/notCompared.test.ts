import assert from "node:assert/strict";
import type { OpenBao } from "../../components/cluster/openBaoClient";
import { takeInventory } from "../../components/inventory/inventory";
import { inventoryKey, saveInventory } from "../../components/inventory/inventoryStore";
import { compareStep, inventoryStep } from "../../components/steps/inventorySteps";
import { runBeats, type StepContext } from "../../components/steps/runStep";
import { ModelOpenBao, modelContent } from "../support/modelOpenBao";
import { StepWorld } from "../support/stepContext";

const NOT_COMPARED = /not compared: what lies in 1 mount\(s\) \(cloud\)/;

/** A moved store that answers as the model does, with a mount "cloud/" of a type that no reader knows. */
async function comparing(): Promise<{ context: StepContext; said: string[] }> {
  const { kube, context } = new StepWorld("compare-verify").onRaft();
  const model = new ModelOpenBao(modelContent());
  const bao = (pod: string): OpenBao => {
    const node = context.bao(pod);
    const ofNode = (path: string) => /^\/v1\/sys\/(seal-status|health|leader|storage)/.test(path);
    const request: OpenBao["request"] = (method, path, call) =>
      ofNode(path) ? node.request(method, path, call) : model.request(method, path, call);
    return { where: pod, request, close: () => undefined };
  };
  const hmacKey = await inventoryKey(kube, "openbao");
  await saveInventory(kube, "openbao", "cutover", await takeInventory(model, "token", { hmacKey }));
  const said: string[] = [];
  return { context: { ...context, bao, log: (line) => void said.push(line) }, said };
}

describe("a mount whose content no reader here knows (F23)", () => {
  it("is told by number and type, never by its path, in the log and in the facts that the report shows", async () => {
    const { context, said } = await comparing();
    const { observed } = await runBeats(compareStep("compare-verify"), context);
    assert.deepEqual(
      [observed["mountsNotCompared"], observed["typesNotCompared"], observed["entriesNotCompared"]],
      [1, "cloud", 0],
    );
    assert.ok(said.some((line) => NOT_COMPARED.test(line)));
    assert.ok(!JSON.stringify([observed, said]).includes("cloud/"));
  });

  it("is told before the cutover, too, when the inventory is taken", async () => {
    const { context, said } = await comparing();
    await inventoryStep("inventory-restored", "restored", "moved").act(context);
    assert.ok(said.some((line) => NOT_COMPARED.test(line)));
  });

  it("and tokens and leases are counted before and after", async () => {
    const { context } = await comparing();
    const { observed } = await runBeats(compareStep("compare-verify"), context);
    const counts = ["tokensBefore", "tokensAfter", "leasesBefore", "leasesAfter"].map((key) => observed[key]);
    assert.deepEqual(counts, [2, 2, 0, 0]);
  });
});
