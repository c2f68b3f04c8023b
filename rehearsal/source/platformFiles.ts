import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { helmReleaseEdit } from "../../components/land/helmReleaseEdit";
import type { KubeObject } from "../../components/cluster/kubeClient";

/** The platform's Git tree before the move, as files with comments: what stage `land` edits, and what is applied. */
export const PLATFORM_TREE = join(__dirname, "platform");

const RELEASE_FOLDER = "k8s/bases/infrastructure/controllers/openbao";
/** Paths inside the checkout, as the config keys `git.helmRelease` and `git.variables` want them. */
export const HELM_RELEASE_FILE = `${RELEASE_FOLDER}/helm-release.yaml`;
export const VARIABLES_FILE = "k8s/clusters/prod/bootstrap/variables-cluster-config-map.yaml";

/** Path of the Helm values inside the checkout, for config key `git.values`, where Helm itself delivers. */
export const VALUES_FILE = "helm/openbao/values.yaml";

/** What the source runs on before the move; "raft" is one node that is on Raft already. */
export type SourceStorageKind = "file" | "raft";

/** The text of the HelmRelease's file for a source on Raft: the same release, with its replicas by the variable. */
export function raftReleaseText(text: string): string {
  return helmReleaseEdit(text, {
    file: HELM_RELEASE_FILE,
    release: "openbao",
    namespace: "openbao",
    replicas: 3,
    replicasVariable: "openbao_replicas",
  });
}

/** The values of the HelmRelease as a file of Helm's own, comments kept, with the variables put in. */
export function helmValuesText(storage: SourceStorageKind = "file", tree = PLATFORM_TREE): string {
  const file = readFileSync(join(tree, HELM_RELEASE_FILE), "utf8");
  const text = substitute(storage === "raft" ? raftReleaseText(file) : file, variablesOf(tree));
  const lines = text.slice(text.indexOf("\n  values:\n") + "\n  values:\n".length).split("\n");
  return lines.map((line) => line.replace(/^ {4}/, "")).join("\n");
}

function variablesOf(tree: string): Record<string, string> {
  return (parse(readFileSync(join(tree, VARIABLES_FILE), "utf8")) as { data: Record<string, string> }).data;
}

/** The objects of the platform's tree for OpenBao, in the order to apply them, with the variables put in as Flux does. */
export function platformObjects(tree = PLATFORM_TREE, storage: SourceStorageKind = "file"): KubeObject[] {
  const variables = variablesOf(tree);
  return ["namespace.yaml", "networkpolicy.yaml", "helm-repository.yaml", "helm-release.yaml"].flatMap(
    (name) => {
      const file = readFileSync(join(tree, RELEASE_FOLDER, name), "utf8");
      const text = storage === "raft" && name === "helm-release.yaml" ? raftReleaseText(file) : file;
      const documents = parseAllDocuments(substitute(text, variables));
      return documents.map((document) => {
        if (document.errors.length > 0)
          throw new Error(`${name} is not YAML: ${document.errors[0]!.message}`);
        return document.toJS() as KubeObject;
      });
    },
  );
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
