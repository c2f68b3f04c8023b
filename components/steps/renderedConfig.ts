import type { V1ConfigMap } from "@kubernetes/client-node";
import type { KubeObject } from "../cluster/kubeClient";
import { sourceStorage } from "../openBaoConfig/serverConfig";
import type { StepContext } from "./runStep";

const CONFIG_KEY = "extraconfig-from-values.hcl";

/** True when the server's ConfigMap, as the chart rendered it, says Raft. */
export async function rendersRaft(ctx: StepContext): Promise<boolean> {
  return sourceStorage(await serverConfigText(ctx)).type === "raft";
}

/** The server's config as the chart rendered it. @throws Error when the ConfigMap lacks it. */
export async function serverConfigText(ctx: StepContext): Promise<string> {
  const map = await ctx.kube.get<V1ConfigMap & KubeObject>(
    `/api/v1/namespaces/${ctx.input.namespace}/configmaps/${ctx.input.release}-config`,
  );
  const text = map.data?.[CONFIG_KEY];
  if (text === undefined) {
    throw new Error(
      `ConfigMap "${ctx.input.release}-config" has no key "${CONFIG_KEY}"; expected the chart's server config`,
    );
  }
  return text;
}
