import { raftConfig } from "../openBaoConfig/raftConfig";
import type { RaftTuning } from "../openBaoConfig/retryJoin";
import { sourceStorage } from "../openBaoConfig/serverConfig";
import { standaloneConfig } from "../openBaoConfig/targetValues";
import { isVariableName } from "./fluxSubstitute";
import { refusal } from "./landRefusal";
import { documentIndex, plain, start, valueAt, yamlFile } from "./yamlFile";
import { yamlEdit, type YamlEdit } from "./yamlEdit";

/** What the HelmRelease in Git is to say. */
export interface HelmReleaseEditOptions extends RaftTuning {
  /** Path of the file, for messages. */
  readonly file: string;
  readonly release: string;
  readonly namespace: string;
  readonly replicas: number;
  /** True when the file holds the values alone, for Helm itself. @default false */
  readonly plainValues?: boolean;
  /** Flux variable that holds the replica count. @default none: the number itself is written */
  readonly replicasVariable?: string;
}

const VALUES = ["spec", "values"];
const HA = ["server", "ha"];

/**
 * Gives the file's text with the owned values set to Raft; every other byte stays. A file that says Raft
 * already keeps its Raft config: later changes to it are the user's.
 * @throws LandRefusal or ServerConfigError, with file and line, for a shape that is not understood.
 */
export function helmReleaseEdit(source: string, options: HelmReleaseEditOptions): string {
  const file = yamlFile(source, options.file);
  const index = helmReleaseIndex(file, options);
  const at = options.plainValues === true ? [] : VALUES;
  const values = valueAt(plain(file.documents[index]!), at);
  const line = file.at(start(file.documents[index]!.contents));
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    throw refusal(
      line,
      options.plainValues === true ? "no map of values" : "no spec.values",
      options.plainValues === true ? "Helm values" : "the values in the HelmRelease",
      options.plainValues === true ? "name the file that has them" : "move them there from valuesFrom",
    );
  }
  const edits: YamlEdit[] = [
    word(["server", "standalone", "enabled"], false),
    word([...HA, "enabled"], true),
    ...replicas(values, options),
    word([...HA, "raft", "enabled"], true),
    word([...HA, "raft", "setNodeId"], true),
    ...config(values, options, line),
  ];
  const placed = edits.map((edit) => ({ ...edit, path: [...at, ...edit.path] }));
  return yamlEdit(source, options.file, index, placed);
}

/** The index of the release's own document in the file. */
export function helmReleaseIndex(
  file: ReturnType<typeof yamlFile>,
  options: Pick<HelmReleaseEditOptions, "file" | "release" | "namespace" | "plainValues">,
): number {
  if (options.plainValues === true) return onlyDocument(file, options.file);
  return documentIndex(file, options.file, `HelmRelease ${options.release}`, (object) => {
    const text = (path: string[]): unknown => valueAt(object, path);
    const namespace = text(["metadata", "namespace"]);
    return (
      text(["kind"]) === "HelmRelease" &&
      String(text(["apiVersion"])).startsWith("helm.toolkit.fluxcd.io/") &&
      text(["metadata", "name"]) === options.release &&
      (namespace === undefined || namespace === options.namespace)
    );
  });
}

/** Helm reads the first document of a values file and no other. */
function onlyDocument(file: ReturnType<typeof yamlFile>, name: string): number {
  if (file.documents.length === 1) return 0;
  throw refusal(name, `${file.documents.length} YAML documents`, "one, of Helm values", "name another file");
}

function word(path: string[], value: boolean | number | string): YamlEdit {
  return { path, put: { word: String(value) }, value };
}

/** The substitution stays unquoted: the chart takes a number only. */
function replicas(values: object, options: HelmReleaseEditOptions): YamlEdit[] {
  const path = [...HA, "replicas"];
  const name = options.replicasVariable;
  if (name === undefined) return [word(path, options.replicas)];
  if (!isVariableName(name)) {
    throw refusal(
      `replicasVariable ${JSON.stringify(name)}`,
      "a name that Flux does not substitute",
      "letters, digits and _",
      "rename it",
    );
  }
  const present = valueAt(values, ["server", "ha", "replicas"]);
  const refers = typeof present === "string" && new RegExp(`^\\$\\{${name}(:[=-]\\d+)?\\}$`).test(present);
  return refers ? [] : [word(path, `\${${name}:=1}`)];
}

function config(values: object, options: HelmReleaseEditOptions, line: string): YamlEdit[] {
  const present = valueAt(values, ["server", "ha", "raft", "config"]);
  const source = standaloneConfig(values);
  if (saysRaft(values) || (source === undefined && isRaft(present))) return [];
  if (source === undefined) {
    throw refusal(line, "no server.standalone.config", "the server's config", "write it out in the values");
  }
  const value = raftConfig(source, options);
  const put = typeof value === "string" ? { text: value } : { map: value };
  return [{ path: [...HA, "raft", "config"], put, value }];
}

function saysRaft(values: object): boolean {
  const on = (path: string[]): boolean => valueAt(values, ["server", "ha", ...path]) === true;
  return (
    on(["enabled"]) && on(["raft", "enabled"]) && isRaft(valueAt(values, ["server", "ha", "raft", "config"]))
  );
}

function isRaft(config: unknown): boolean {
  const given =
    (typeof config === "string" && config.trim() !== "") || (typeof config === "object" && config !== null);
  return given && sourceStorage(config as string | object).type === "raft";
}
