import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments, parseDocument } from "yaml";
import type { ReleaseName } from "../../components/delivery/releaseReader";
import { helmReleaseEdit } from "../../components/land/helmReleaseEdit";
import { SMALL_STORAGE_CLASS } from "../cluster/layout";
import { TLS_CA_FILE, withTls } from "./sourceTls";
import type { KubeObject } from "../../components/cluster/kubeClient";

/** The platform's Git tree before the move, as files with comments: what stage `land` edits, and what is applied. */
export const PLATFORM_TREE = join(__dirname, "platform");

const RELEASE_FOLDER = "k8s/bases/infrastructure/controllers/openbao";
/** Paths inside the checkout, as the config keys `git.helmRelease` and `git.variables` want them. */
export const HELM_RELEASE_FILE = `${RELEASE_FOLDER}/helm-release.yaml`;
export const VARIABLES_FILE = "k8s/clusters/prod/bootstrap/variables-cluster-config-map.yaml";
/** For the config key `git.networkPolicy`: a file that stage `land` makes, and lists in the folder's kustomization. */
export const RAFT_POLICY_FILE = `${RELEASE_FOLDER}/networkpolicy-raft.yaml`;
/** For the config key `git.replicaFloor`. */
export const REPLICA_FLOOR_FILE =
  "k8s/bases/infrastructure/cluster-policies/best-practices/validate-replica-floor.yaml";

/** Path of the Helm values inside the checkout, for config key `git.values`, where Helm itself delivers. */
export const VALUES_FILE = "helm/openbao/values.yaml";

/** What the source runs on before the move; "raft" is one node that is on Raft already. */
export type SourceStorageKind = "file" | "raft";

/**
 * The postStart hook that unseals: "retry" tries for two minutes, which keeps a follower's name out of DNS as long;
 * "once" waits 5 s and for an answer, and tries once. Platforms have either (facts: Unseal Secret and hook).
 */
export const HOOKS = ["retry", "once"] as const;

/** How the source differs from the platform's tree. */
export interface SourceVariant {
  /** @default "file" */
  readonly storage?: SourceStorageKind;
  /** @default "retry" */
  readonly hook?: (typeof HOOKS)[number];
  /** Who applies the chart. @default "flux" */
  readonly delivery?: ReleaseName["delivery"];
  /** Whether its listener has TLS. @default false */
  readonly tls?: boolean;
  /** Whether its data volumes are small file systems of their own, which a fault can fill. @default false */
  readonly smallVolumes?: boolean;
}

const HOOK_ONCE = `sleep 5
until bao status >/dev/null 2>&1 || [ "$?" -eq 2 ]; do sleep 1; done
key=/openbao/unseal/unseal-key
if [ -s "$key" ] && [ "$(cat "$key")" != REPLACE_AFTER_INIT ]; then
  bao write -format=json sys/unseal key=@"$key" >/dev/null 2>&1
fi
exit 0
`;

/** The text of the HelmRelease's file for a variant of the source; on Raft its replicas are by the variable. */
export function releaseText(text: string, { storage, hook, tls, smallVolumes }: SourceVariant): string {
  const placed = tls === true ? withTls(text) : text;
  const raft =
    storage === "raft"
      ? helmReleaseEdit(placed, {
          file: HELM_RELEASE_FILE,
          release: "openbao",
          namespace: "openbao",
          replicas: 3,
          replicasVariable: "openbao_replicas",
          ...(tls === true && { leaderCaCertFile: TLS_CA_FILE }),
        })
      : placed;
  if (hook !== "once" && smallVolumes !== true) return raft;
  const document = parseDocument(raft);
  const server = ["spec", "values", "server"];
  if (hook === "once") document.setIn([...server, "postStart", 2], HOOK_ONCE);
  if (smallVolumes === true) document.setIn([...server, "dataStorage", "storageClass"], SMALL_STORAGE_CLASS);
  return document.toString({ lineWidth: 0 });
}

/** The values of the HelmRelease as a file of Helm's own, comments kept, with the variables put in. */
export function helmValuesText(variant: SourceVariant = {}, tree = PLATFORM_TREE): string {
  const file = readFileSync(join(tree, HELM_RELEASE_FILE), "utf8");
  const text = substitute(releaseText(file, variant), variablesOf(tree));
  const lines = text.slice(text.indexOf("\n  values:\n") + "\n  values:\n".length).split("\n");
  return lines.map((line) => line.replace(/^ {4}/, "")).join("\n");
}

function variablesOf(tree: string): Record<string, string> {
  return (parse(readFileSync(join(tree, VARIABLES_FILE), "utf8")) as { data: Record<string, string> }).data;
}

/** The objects of the platform's tree for OpenBao, in the order to apply them, with the variables put in as Flux does. */
export function platformObjects(tree = PLATFORM_TREE, variant: SourceVariant = {}): KubeObject[] {
  const variables = variablesOf(tree);
  const names = ["namespace.yaml", "networkpolicy.yaml", "helm-repository.yaml", "helm-release.yaml"];
  return names
    .filter((name) => variant.delivery !== "helm" || !name.startsWith("helm-"))
    .flatMap((name) => {
      const file = readFileSync(join(tree, RELEASE_FOLDER, name), "utf8");
      const text = name === "helm-release.yaml" ? releaseText(file, variant) : file;
      const documents = parseAllDocuments(substitute(text, variables));
      return documents.map((document) => {
        if (document.errors.length > 0)
          throw new Error(`${name} is not YAML: ${document.errors[0]!.message}`);
        return document.toJS() as KubeObject;
      });
    });
}

/**
 * Replaces `${name}` and `${name:=default}`, as Flux's postBuild does for these two forms.
 * @throws Error for a variable without value and default.
 */
export function substitute(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{(\w+)(?::=([^}]*))?\}/g, (_, name: string, fallback: string | undefined) => {
    const value = variables[name] || fallback;
    if (value === undefined)
      throw new Error(`variable "${name}" has no value and no default in the platform's files`);
    return value;
  });
}
