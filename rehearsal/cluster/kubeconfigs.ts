import { readFileSync, writeFileSync } from "node:fs";
import { stringify } from "yaml";
import { API_URL, clusterDir, CONTEXT, kubeconfigPath, nodeLayouts } from "./layout";
import { pkiFile, RUNNER } from "./pki";

/** Kubeconfig file of one of the cluster's programs. */
export function componentKubeconfig(user: string): string {
  return clusterDir("pki", `${user}.kubeconfig`);
}

/** Writes the admin kubeconfig and one for each program that talks to the API server. */
export function writeKubeconfigs(): void {
  write(kubeconfigPath(), "admin");
  const nodes = nodeLayouts().map((node) => `${node.name}-client`);
  for (const user of [RUNNER, "kube-controller-manager", "kube-scheduler", "kube-proxy", ...nodes]) {
    write(componentKubeconfig(user), user);
  }
}

function write(file: string, user: string): void {
  const base64 = (name: string) => readFileSync(pkiFile(name)).toString("base64");
  const cluster = { server: API_URL, "certificate-authority-data": base64("ca.crt") };
  const keys = { "client-certificate-data": base64(`${user}.crt`), "client-key-data": base64(`${user}.key`) };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: CONTEXT, cluster }],
    users: [{ name: user, user: keys }],
    contexts: [{ name: CONTEXT, context: { cluster: CONTEXT, user } }],
    "current-context": CONTEXT,
  };
  writeFileSync(file, stringify(config), { mode: 0o600 });
}
