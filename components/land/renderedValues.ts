import { readFile } from "node:fs/promises";
import path from "node:path";
import { parse, parseAllDocuments, stringify, type Document } from "yaml";
import { fluxSubstitute } from "./fluxSubstitute";
import { GO_YAML } from "./goYaml";
import { helmReleaseIndex } from "./helmReleaseEdit";
import { refusal } from "./landRefusal";
import { plain, valueAt, yamlFile } from "./yamlFile";

/** The files of the checkout that say what the release's values are. */
export interface ReleaseFiles {
  /** File of the HelmRelease, inside the checkout. */
  readonly helmRelease: string;
  /** File of the variables ConfigMap, inside the checkout. */
  readonly variables?: string;
  /** True when that file holds the values alone, for Helm itself: nothing is substituted. @default false */
  readonly plainValues?: boolean;
  readonly release: string;
  readonly namespace: string;
  /** Variables from elsewhere (other ConfigMaps); the file's own win. @default none */
  readonly moreVariables?: Readonly<Record<string, string>>;
}

/**
 * The HelmRelease's values as Flux would apply them from the working tree: the object written anew, its
 * variables substituted, and read again. Patches by overlays are not part of it.
 */
export async function renderedValues(
  checkout: string,
  files: ReleaseFiles,
): Promise<Record<string, unknown>> {
  const read = (file: string): Promise<string> => readFile(path.join(checkout, file), "utf8");
  const variables =
    files.variables === undefined ? {} : variablesOf(await read(files.variables), files.variables);
  return renderValues(await read(files.helmRelease), files, { ...files.moreVariables, ...variables });
}

/** The pure part of `renderedValues`. */
export function renderValues(
  source: string,
  files: Pick<ReleaseFiles, "helmRelease" | "plainValues" | "release" | "namespace">,
  variables: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const file = yamlFile(source, files.helmRelease);
  const index = helmReleaseIndex(file, { ...files, file: files.helmRelease });
  const document = (parseAllDocuments(source, GO_YAML) as Document.Parsed[])[index]!;
  const object = plain(document);
  const meta = (kind: string): unknown =>
    valueAt(object, ["metadata", kind, "kustomize.toolkit.fluxcd.io/substitute"]);
  const written = stringify(object, { ...GO_YAML, lineWidth: 0, aliasDuplicateObjects: false });
  if (files.plainValues === true) return valuesIn(object, files.helmRelease);
  const off = meta("labels") === "disabled" || meta("annotations") === "disabled";
  const text = off ? written : fluxSubstitute(written, variables).text;
  return valuesIn(valueAt(parse(text, GO_YAML), ["spec", "values"]), files.helmRelease);
}

function valuesIn(values: unknown, file: string): Record<string, unknown> {
  if (typeof values === "object" && values !== null && !Array.isArray(values))
    return values as Record<string, unknown>;
  throw refusal(file, "no spec.values", "the values in the HelmRelease", "move them there");
}

/** All `data` of the ConfigMaps in a file. */
export function variablesOf(source: string, name: string): Record<string, string> {
  const maps = yamlFile(source, name)
    .documents.map(plain)
    .filter((object) => valueAt(object, ["kind"]) === "ConfigMap");
  const entries = maps.flatMap((object) => Object.entries(valueAt(object, ["data"]) ?? {}));
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
