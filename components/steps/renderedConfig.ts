import type { V1ConfigMap } from "@kubernetes/client-node";
import type { KubeObject } from "../cluster/kubeClient";
import { sourceStorage } from "../openBaoConfig/serverConfig";
import type { StepContext } from "./runStep";

const CONFIG_KEY = "extraconfig-from-values.hcl";

/** True when the server's ConfigMap, as the chart rendered it, says Raft. */
export async function rendersRaft(ctx: StepContext): Promise<boolean> {
  const map = await ctx.kube.get<V1ConfigMap & KubeObject>(
    `/api/v1/namespaces/${ctx.input.namespace}/configmaps/${ctx.input.release}-config`,
  );
  const text = map.data?.[CONFIG_KEY];
  if (text === undefined) {
    throw new Error(
      `ConfigMap "${ctx.input.release}-config" has no key "${CONFIG_KEY}"; expected the chart's server config`,
    );
  }
  return sourceStorage(text).type === "raft";
}
