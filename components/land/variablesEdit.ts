import { isScalar } from "yaml";
import { refusal } from "./landRefusal";
import { documentIndex, plain, start, valueAt, yamlFile } from "./yamlFile";
import { yamlEdit } from "./yamlEdit";

/** What the variables ConfigMap in Git is to say. */
export interface VariablesEditOptions {
  /** Path of the file, for messages. */
  readonly file: string;
  readonly variable: string;
  readonly value: string;
}

/** Gives the file's text with the variable set, as a string in the quotes that were there. */
export function variablesEdit(source: string, options: VariablesEditOptions): string {
  const file = yamlFile(source, options.file);
  const index = variablesIndex(source, options.file, options.variable);
  const document = file.documents[index]!;
  if (valueAt(plain(document), ["sops"]) !== undefined) {
    const line = file.at(start(document.get("sops", true)));
    throw refusal(line, "a file encrypted by SOPS", "a plain ConfigMap", "set the variable by sops");
  }
  const path = ["data", options.variable];
  const present: unknown = document.getIn(path, true);
  const quote = isScalar(present) && present.type === "QUOTE_SINGLE" ? "'" : '"';
  return yamlEdit(source, options.file, index, [
    { path, put: { word: `${quote}${options.value}${quote}` }, value: options.value },
  ]);
}

/** The index of the ConfigMap that holds the variable, or of the only ConfigMap when none does. */
export function variablesIndex(source: string, name: string, variable: string): number {
  const file = yamlFile(source, name);
  const isConfigMap = (object: unknown): boolean => valueAt(object, ["kind"]) === "ConfigMap";
  const holds = (object: unknown): boolean =>
    isConfigMap(object) && valueAt(object, ["data", variable]) !== undefined;
  const any = file.documents.some((document) => holds(plain(document)));
  return documentIndex(
    file,
    name,
    any ? `ConfigMap with ${variable}` : "ConfigMap",
    any ? holds : isConfigMap,
  );
}
