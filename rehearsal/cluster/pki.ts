import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { API_SERVICE_ADDRESS, CLUSTER_DOMAIN, clusterDir, HOST_ADDRESS, nodeLayouts } from "./layout";
import { run } from "./run";

/** Who runs Pulumi in a rehearsal: a user without a group. */
export const RUNNER = "rehearsal-runner";
const VALID_DAYS = 365;

/** One certificate signed by the cluster's authority. */
export interface CertificateSpec {
  /** File name without ending. */
  readonly file: string;
  readonly commonName: string;
  readonly organization?: string;
  readonly usage: "clientAuth" | "serverAuth";
  /** As in openssl's subjectAltName: `DNS:name` or `IP:address`. */
  readonly names?: readonly string[];
}

export function pkiFile(name: string): string {
  return clusterDir("pki", name);
}

/** The subject in openssl's form; a `/` or `+` inside a value would start a new part, so it is escaped. */
export function subject(spec: Pick<CertificateSpec, "commonName" | "organization">): string {
  const escape = (value: string) => value.replace(/[\\/+]/g, (c) => `\\${c}`);
  const organization = spec.organization ? `/O=${escape(spec.organization)}` : "";
  return `${organization}/CN=${escape(spec.commonName)}`;
}

/** Every certificate that the cluster needs. */
export function certificateSpecs(): CertificateSpec[] {
  const service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
  const names = [...service, `kubernetes.default.svc.${CLUSTER_DOMAIN}`, "localhost"].map(
    (name) => `DNS:${name}`,
  );
  const addresses = [HOST_ADDRESS, API_SERVICE_ADDRESS, "127.0.0.1"].map((address) => `IP:${address}`);
  const masters = "system:masters";
  const client = (file: string, commonName: string, organization?: string): CertificateSpec => ({
    file,
    commonName,
    usage: "clientAuth",
    ...(organization ? { organization } : {}),
  });
  return [
    { file: "apiserver", commonName: "kube-apiserver", usage: "serverAuth", names: [...names, ...addresses] },
    { file: "etcd", commonName: "etcd", usage: "serverAuth", names: ["DNS:localhost", "IP:127.0.0.1"] },
    client("apiserver-etcd-client", "kube-apiserver-etcd-client"),
    client("apiserver-kubelet-client", "kube-apiserver-kubelet-client", masters),
    client("admin", "rehearsal-admin", masters),
    client(RUNNER, RUNNER),
    client("kube-controller-manager", "system:kube-controller-manager"),
    client("kube-scheduler", "system:kube-scheduler"),
    client("kube-proxy", "system:kube-proxy"),
    ...nodeLayouts().flatMap((node): CertificateSpec[] => [
      client(`${node.name}-client`, `system:node:${node.name}`, "system:nodes"),
      {
        file: `${node.name}-server`,
        commonName: `system:node:${node.name}`,
        organization: "system:nodes",
        usage: "serverAuth",
        names: [`DNS:${node.name}`, `IP:${node.address}`],
      },
    ]),
  ];
}

/** Makes what is missing of the authority, the certificates and the service account key pair. */
export async function makePki(): Promise<void> {
  mkdirSync(clusterDir("pki"), { recursive: true, mode: 0o700 });
  // openssl's own configuration would add extensions of its choice.
  const config = plainConfig(clusterDir("pki"));
  if (!existsSync(pkiFile("ca.crt")) || !existsSync(pkiFile("ca.key"))) {
    for (const spec of certificateSpecs()) rmSync(pkiFile(`${spec.file}.crt`), { force: true });
    await certifyAuthority(config, clusterDir("pki"));
  }
  const missing = certificateSpecs().filter((spec) => !existsSync(pkiFile(`${spec.file}.crt`)));
  await Promise.all(missing.map((spec) => certifyLeaf(config, spec)));
  if (!existsSync(pkiFile("sa.pub"))) makeServiceAccountKeys();
}

/** A CA of its own in `folder`, and the one server certificate that it signs: ca.crt, server.crt and their keys. */
export async function makeServerPki(
  folder: string,
  server: Pick<CertificateSpec, "commonName" | "names">,
): Promise<void> {
  const config = plainConfig(folder);
  await certifyAuthority(config, folder);
  await certifyLeaf(config, { ...server, file: "server", usage: "serverAuth" }, folder);
}

function plainConfig(folder: string): string {
  const config = join(folder, "openssl.cnf");
  writeFileSync(config, "[req]\ndistinguished_name = dn\n[dn]\n");
  return config;
}

function certifyAuthority(config: string, folder: string): Promise<void> {
  const extensions = [
    "basicConstraints=critical,CA:TRUE",
    "keyUsage=critical,digitalSignature,keyCertSign,cRLSign",
    "subjectKeyIdentifier=hash",
  ];
  return certify(config, folder, "ca", "/CN=openbao-raft-migration-rehearsal", extensions);
}

function certifyLeaf(config: string, spec: CertificateSpec, folder = clusterDir("pki")): Promise<void> {
  const extensions = [
    "basicConstraints=CA:FALSE",
    "keyUsage=critical,digitalSignature",
    `extendedKeyUsage=${spec.usage}`,
  ];
  if (spec.names) extensions.push(`subjectAltName=${spec.names.join(",")}`);
  const signer = ["-CA", join(folder, "ca.crt"), "-CAkey", join(folder, "ca.key")];
  return certify(config, folder, spec.file, subject(spec), extensions, signer);
}

async function certify(
  config: string,
  folder: string,
  file: string,
  name: string,
  extensions: string[],
  signer: string[] = [],
) {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const key = [...curve, "-keyout", join(folder, `${file}.key`)];
  const output = ["-days", String(VALID_DAYS), "-subj", name, "-out", join(folder, `${file}.crt`)];
  const added = extensions.flatMap((extension) => ["-addext", extension]);
  await run(["openssl", "req", "-x509", "-config", config, ...key, ...signer, ...output, ...added]);
}

function makeServiceAccountKeys(): void {
  const pair = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  writeFileSync(pkiFile("sa.key"), pair.privateKey, { mode: 0o600 });
  writeFileSync(pkiFile("sa.pub"), pair.publicKey);
}
