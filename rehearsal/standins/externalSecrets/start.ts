import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { KubeError, type KubeClient, type KubeObject } from "../../../components/cluster/kubeClient";
import { openBaoInPod, unexpected } from "../../../components/cluster/openBaoStatus";
import { podBinary } from "../../load/clientBinary";
import { createOrReplace, nodeArch } from "../../load/clientLoad";
import { clientParts, LOAD_NAMESPACE, LOAD_TOKEN_SECRET } from "../../load/clientObjects";
import { SOURCE_NAMESPACE } from "../../source/sourceCluster";
import { installCrds } from "../crds/installCrds";
import {
  accountObjects,
  operatorPod,
  OPERATOR,
  SAMPLE,
  SAMPLE_KEY,
  sampleObjects,
  type Placed,
} from "./objects";

const IMAGE = "quay.io/openbao/openbao:2.4.0";
const SYNC_SECONDS = 120;

/**
 * Puts the stand-in beside the client load, and a sample that it has read once (120 s). All of it goes with the
 * client's namespace; the definitions stay.
 * @returns the sample, for the program's config.
 * @throws Error when the sample is not read in time.
 */
export async function startExternalSecrets(kube: KubeClient): Promise<typeof SAMPLE> {
  await installCrds(kube.config, join(__dirname, "crds"));
  const value = randomBytes(16).toString("hex");
  await writeEntry(kube, value);
  const binary = await podBinary(join(__dirname, "controller"), OPERATOR, await nodeArch(kube));
  const parts = clientParts(readFileSync(binary), OPERATOR);
  for (const part of parts) await createOrReplace(kube, part);
  const names = parts.map(({ metadata }) => metadata?.name ?? "");
  for (const placed of [...accountObjects(), ...sampleObjects(), operatorPod(names, IMAGE)])
    await createOnce(kube, placed);
  await synced(kube, value);
  return SAMPLE;
}

/** With the client's own token, which may write below secret/load. */
async function writeEntry(kube: KubeClient, value: string): Promise<void> {
  const bao = openBaoInPod(kube, { namespace: SOURCE_NAMESPACE, release: "openbao" }, "openbao-0");
  try {
    const token = (await secretData(kube, LOAD_TOKEN_SECRET))?.["token"] ?? "";
    const path = `/v1/secret/data/${SAMPLE_KEY}`;
    const reply = await bao.request("POST", path, { token, body: { data: { value } } });
    if (reply.status !== 200) throw unexpected(bao, "writing the sample", reply);
  } finally {
    bao.close();
  }
}

async function synced(kube: KubeClient, value: string): Promise<void> {
  await kube.waitFor<KubeObject & { data?: Record<string, string> }>(
    `/api/v1/namespaces/${LOAD_NAMESPACE}/secrets`,
    SAMPLE.name,
    (secret) => secret?.data?.["value"] === Buffer.from(value).toString("base64"),
    { what: `the External Secrets stand-in to read ${SAMPLE_KEY}`, timeoutSeconds: SYNC_SECONDS },
  );
}

async function secretData(kube: KubeClient, name: string): Promise<Record<string, string> | undefined> {
  type Secret = KubeObject & { data?: Record<string, string> };
  const { data } = await kube.get<Secret>(`/api/v1/namespaces/${LOAD_NAMESPACE}/secrets/${name}`);
  return (
    data &&
    Object.fromEntries(
      Object.entries(data).map(([key, text]) => [key, Buffer.from(text, "base64").toString()]),
    )
  );
}

async function createOnce(kube: KubeClient, [collection, object]: Placed): Promise<void> {
  try {
    await kube.create(collection, object);
  } catch (error) {
    if (!(error instanceof KubeError && error.status === 409)) throw error;
  }
}
