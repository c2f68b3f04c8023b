import assert from "node:assert/strict";
import { probePods, startProbes } from "../../components/steps/networkProbe";
import { StepWorld } from "../support/stepContext";

describe("the wait for the probe pods", () => {
  it("is podTimeoutSeconds: a node that must pull the image first takes its time", async () => {
    const { kube, context } = new StepWorld("network-probe");
    const waits: (number | undefined)[] = [];
    kube.waitFor = (_path, _name, _ready, options) => {
      waits.push(options?.timeoutSeconds);
      return Promise.resolve(undefined);
    };
    const nodes = ["a", "b"].map((name) => ({ metadata: { name } }));
    const probes = probePods({ spec: { template: { spec: { containers: [] } } } } as never, nodes, 2);
    await startProbes({ ...context, input: { ...context.input, podTimeoutSeconds: 1234 } }, probes);
    assert.deepEqual(waits, [1234, 1234]);
  });
});
