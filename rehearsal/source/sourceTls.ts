import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDocument, YAMLSeq } from "yaml";
import type { KubeObject } from "../../components/cluster/kubeClient";
import { tlsSchema } from "../../components/platformConfig";
import { makeServerPki } from "../cluster/pki";

const TLS_SECRET = "openbao-tls";
const FOLDER = "/openbao/tls";
/** The CA in the server's pods, for retry_join and for `bao` in the hook. */
export const TLS_CA_FILE = `${FOLDER}/ca.crt`;
/** The config key `tls` of a source with TLS. */
export const TLS_CONFIG = tlsSchema.parse({ caSecret: TLS_SECRET, caFile: TLS_CA_FILE });

/** The names by which nodes, clients and the hook call the server. */
export function serverNames(release: string, namespace: string, replicas: number): string[] {
  const nodes = Array.from({ length: replicas }, (_, ordinal) => `${release}-${ordinal}.${release}-internal`);
  const services = [release, `${release}-active`, `${release}-standby`, `${release}-internal`].flatMap(
    (one) => [one, `${one}.${namespace}`, `${one}.${namespace}.svc`, `${one}.${namespace}.svc.cluster.local`],
  );
  return [...[...nodes, ...services, "localhost"].map((name) => `DNS:${name}`), "IP:127.0.0.1"];
}

/** A new CA and server certificate, as the Secret that the pods mount; the CA's key is kept nowhere. */
export async function tlsSecret(
  namespace: string,
): Promise<KubeObject & { stringData: { "ca.crt": string } }> {
  const folder = mkdtempSync(join(tmpdir(), "openbao-tls-"));
  try {
    await makeServerPki(folder, { commonName: "openbao", names: serverNames("openbao", namespace, 3) });
    const read = (name: string): string => readFileSync(join(folder, name), "utf8");
    const object = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: TLS_SECRET, namespace },
      type: "Opaque",
      stringData: {
        "ca.crt": read("ca.crt"),
        "tls.crt": read("server.crt"),
        "tls.key": read("server.key"),
      },
    };
    return object;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The text of the HelmRelease's file with TLS on its listener, as users set it in the chart's values. */
export function withTls(text: string): string {
  const document = parseDocument(text);
  const values = ["spec", "values"];
  const server = [...values, "server"];
  const config = String(document.getIn([...server, "standalone", "config"]));
  const files = `tls_cert_file = "${FOLDER}/tls.crt"\n  tls_key_file  = "${FOLDER}/tls.key"`;
  const secured = config.replace(/tls_disable += 1/, files);
  if (secured === config) throw new Error("the platform's listener has no tls_disable = 1: this is a bug");
  document.setIn([...server, "standalone", "config"], secured);
  document.setIn([...values, "global"], { tlsDisable: false });
  document.setIn([...server, "extraEnvironmentVars"], { BAO_CACERT: TLS_CA_FILE });
  const add = (list: string, item: object): void =>
    (document.getIn([...server, list]) as YAMLSeq).add(document.createNode(item));
  add("volumes", { name: "tls", secret: { secretName: TLS_SECRET } });
  add("volumeMounts", { name: "tls", mountPath: FOLDER, readOnly: true });
  return document.toString({ lineWidth: 0 });
}
