import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  visit,
  type Document,
  type YAMLMap,
} from "yaml";
import { refusal, type LandRefusal } from "./landRefusal";

/** A parsed YAML file: its documents and the means to name a line. */
export interface YamlFile {
  /** Its path, for messages. */
  readonly name: string;
  readonly text: string;
  readonly documents: readonly Document.Parsed[];
  /** `file:line` of an offset. */
  at(offset: number): string;
}

/** @param name path of the file, for messages. @throws LandRefusal when it is not valid YAML. */
export function yamlFile(text: string, name: string): YamlFile {
  const lineCounter = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter, keepSourceTokens: true });
  const documents = Array.isArray(parsed) ? (parsed as Document.Parsed[]) : [];
  const at = (offset: number): string => `${name}:${lineCounter.linePos(offset).line}`;
  for (const { errors } of documents) {
    const error = errors[0];
    if (error !== undefined) {
      const message = error.message
        .split("\n")[0]!
        .replace(/ at line .*$/, "")
        .replace(/:$/, "");
      throw refusal(
        at(error.pos[0]),
        `YAML that does not parse (${message})`,
        "valid YAML",
        "correct the file",
      );
    }
  }
  return { name, text, documents, at };
}

/** The index of the one document that fits. @throws LandRefusal when there is none, or more than one. */
export function documentIndex(
  file: YamlFile,
  name: string,
  what: string,
  fits: (object: unknown) => boolean,
): number {
  const found = file.documents.flatMap((document, index) => (fits(plain(document)) ? [index] : []));
  if (found.length === 1) return found[0]!;
  const kinds = file.documents.map((document) => describe(plain(document))).join(", ");
  const second = file.documents[found[1] ?? -1];
  throw refusal(
    second === undefined ? name : file.at(start(second.contents)),
    found.length === 0 ? `no ${what} (it holds: ${kinds || "nothing"})` : `${found.length} times ${what}`,
    "one",
    "correct the file's path in the config key git, or the file",
  );
}

/** A document as plain data; aliases resolved. */
export function plain(document: Document.Parsed): unknown {
  return document.toJS({ maxAliasCount: 1000 });
}

/** The value of a path in plain data, undefined where it ends early. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (node, key) =>
      typeof node === "object" && node !== null && Object.hasOwn(node, key)
        ? (node as Record<string, unknown>)[key]
        : undefined,
    value,
  );
}

/**
 * A value that an edit may change must stand there itself: not through an alias or a merge key, and not
 * under an anchor that another place reads.
 */
export function refuseShared(file: YamlFile, document: Document.Parsed, node: unknown): void {
  const refuse = (offset: number, found: string): LandRefusal =>
    refusal(file.at(offset), found, "a value of its own", "write the value out in this place");
  if (isAlias(node)) throw refuse(node.range![0], `an alias (*${node.source})`);
  const offset = start(node);
  if (isMap(node)) {
    const merge = (node as YAMLMap).items.find((pair) => isScalar(pair.key) && pair.key.value === "<<");
    if (merge !== undefined) throw refuse(start(merge.key), 'a merge key ("<<")');
  }
  const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
  if (anchor === undefined) return;
  visit(document, {
    Alias(_, alias) {
      if (alias.source === anchor) throw refuse(offset, `an anchor (&${anchor}) that is used elsewhere`);
    },
  });
}

/** Where a node begins. */
export function start(node: unknown): number {
  return (node as { range?: [number, number, number] | null } | null)?.range?.[0] ?? 0;
}

function describe(object: unknown): string {
  const word = (path: string[]): string => {
    const value = valueAt(object, path);
    return typeof value === "string" ? value.slice(0, 60) : "?";
  };
  return `${word(["kind"])} ${word(["metadata", "name"])}`;
}
