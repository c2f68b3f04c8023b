import { gzipSync } from "node:zlib";
import { labelFor, REVISION_LABEL } from "../../components/delivery/helmRecord";
import type { KubeObject } from "../../components/cluster/kubeClient";

export interface Revision {
  readonly revision: number;
  readonly status?: string;
  readonly values?: object;
  /** Made by this program. */
  readonly ours?: boolean;
  readonly dependencies?: readonly string[];
  readonly manifest?: string;
  readonly chartVersion?: string;
}

/** Path of a revision's Secret in namespace openbao. */
export function revisionPath(revision: number): string {
  return `/api/v1/namespaces/openbao/secrets/sh.helm.release.v1.openbao.v${revision}`;
}

/** The Secret of one revision, as Helm's own driver writes it. */
export function releaseSecret(one: Revision): KubeObject & Record<string, unknown> {
  const { revision, status = "deployed", values = {}, ours = false, dependencies = [], manifest = "" } = one;
  const { chartVersion = "0.29.2" } = one;
  const release = {
    name: "openbao",
    version: revision,
    info: { status, description: "Upgrade complete" },
    config: values,
    manifest,
    chart: {
      metadata: {
        name: "openbao",
        version: chartVersion,
        ...(dependencies.length > 0 && { dependencies: dependencies.map((name) => ({ name })) }),
      },
      values: { server: { replicas: 1 } },
      templates: [
        { name: "templates/configmap.yaml", data: Buffer.from("kind: ConfigMap\n").toString("base64") },
      ],
      files: [{ name: "README.md", data: Buffer.from("read me").toString("base64") }],
    },
  };
  const packed = gzipSync(JSON.stringify(release)).toString("base64");
  return {
    type: "helm.sh/release.v1",
    metadata: {
      name: `sh.helm.release.v1.openbao.v${revision}`,
      labels: {
        owner: "helm",
        name: "openbao",
        status,
        version: String(revision),
        ...(ours && { [REVISION_LABEL]: labelFor(revision) }),
      },
    },
    data: { release: Buffer.from(packed).toString("base64") },
  };
}
