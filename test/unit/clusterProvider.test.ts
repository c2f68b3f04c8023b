import assert from "node:assert/strict";
import { clusterProvider } from "../../components/clusterProvider";
import { recordResources } from "../support/recordResources";

describe("the Kubernetes provider (hazards section 3: no key in temporary files)", () => {
  const kubeconfig = process.env["KUBECONFIG"];
  before(() => (process.env["KUBECONFIG"] = "/srv/kubeconfig"));
  after(() => {
    if (kubeconfig === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = kubeconfig;
  });

  it("is given no kubeconfig, which its plugin would copy into the temporary folder with the client's key", async () => {
    const [provider] = await recordResources(false, () => void clusterProvider({ delivery: "flux" }));
    assert.equal(provider?.inputs["kubeconfig"], "");
  });

  it("goes to the context of the config, and changes ConfigMaps in place under Helm", async () => {
    const make = () => void clusterProvider({ delivery: "helm", context: "prod" });
    const [provider] = await recordResources(false, make);
    assert.equal(provider?.inputs["context"], "prod");
    assert.equal(provider?.inputs["enableConfigMapMutable"], "true");
  });
});
