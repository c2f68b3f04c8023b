import { isMap, isScalar, isSeq, stringify, type Pair, type Scalar, type YAMLMap } from "yaml";
import { blockScalar } from "./blockScalar";
import { refusal } from "./landRefusal";
import { refuseShared, start, yamlFile, type YamlFile } from "./yamlFile";

/** What is written: a plain word, a block of text (literal style), or a map. */
export type YamlText = { readonly word: string } | { readonly text: string } | { readonly map: object };

/**
 * Sets one value in a YAML file by splicing its text at the parsed nodes' places, so that every other byte
 * (comments, quotes, order, indentation, line ends) stays. Missing maps on the way are made.
 * @param index the document in the file.
 * @throws LandRefusal with file and line for a shape that cannot be edited so.
 */
export function yamlSet(
  source: string,
  name: string,
  index: number,
  path: readonly string[],
  put: YamlText,
): string {
  const file = yamlFile(source, name);
  const document = file.documents[index]!;
  let map: unknown = document.contents;
  for (let depth = 0; ; depth += 1) {
    refuseShared(file, document, map);
    if (!isMap(map)) throw notMap(file, map, path.slice(0, depth));
    const pair = pairOf(map, path[depth]!);
    if (pair === undefined) return inserted(file, map, path.slice(depth), put, path);
    refuseShared(file, document, pair.value);
    if (depth === path.length - 1) return replaced(file, map, pair, put, path);
    if (isEmpty(pair.value)) return filled(file, map, pair, path.slice(depth + 1), put, path);
    map = pair.value;
  }
}

/** Columns of indentation a level, as everywhere in Kubernetes. */
const STEP = 2;

export type Found = Pair<Scalar, unknown>;
type Ranged = { readonly range?: readonly [number, number, number] | null };

function pairOf(map: YAMLMap, key: string): Found | undefined {
  return map.items.find((pair) => isScalar(pair.key) && pair.key.value === key) as Found | undefined;
}

/** After the last entry of a block map. */
function inserted(
  file: YamlFile,
  map: YAMLMap,
  rest: readonly string[],
  put: YamlText,
  path: readonly string[],
): string {
  const last = map.items.at(-1) as Found | undefined;
  if (map.flow || last === undefined) throw flow(file, map, path);
  const at = lineEnd(file.text, end(last));
  return spliced(file, at, at, lines(file, rest, put, column(file.text, start(map.items[0]!.key))));
}

/** Below a key that has no value yet, or `{}`. */
function filled(
  file: YamlFile,
  map: YAMLMap,
  pair: Found,
  rest: readonly string[],
  put: YamlText,
  path: readonly string[],
): string {
  if (map.flow) throw flow(file, map, path);
  const bare = withoutValue(file, pair);
  const at = lineEnd(bare, start(pair.key));
  const indent = column(file.text, start(pair.key)) + STEP;
  return spliced({ ...file, text: bare }, at, at, lines(file, rest, put, indent));
}

function replaced(file: YamlFile, map: YAMLMap, pair: Found, put: YamlText, path: readonly string[]): string {
  const { value } = pair;
  const key = path.at(-1)!;
  if (value !== null && !isScalar(value) && !isEmpty(value)) {
    throw refusal(
      file.at(start(value)),
      `a map or list for ${path.join(".")}`,
      "a plain value",
      "write it as one",
    );
  }
  if (isScalar(value) && (value.anchor !== undefined || value.tag !== undefined)) {
    throw refusal(file.at(start(value)), `an anchor or tag at ${path.join(".")}`, "none", "remove it");
  }
  if (map.flow && (!("word" in put) || /[{}[\],]/.test(put.word))) throw flow(file, map, path);
  const block = isScalar(value) && (value.type === "BLOCK_LITERAL" || value.type === "BLOCK_FOLDED");
  if ("word" in put && isScalar(value) && !block && end(pair) > start(value)) {
    return spliced(file, start(value), end(pair), put.word);
  }
  const bare = withoutValue(file, pair);
  const from = start(pair.key);
  const [head, ...below] = lines(file, [key], put, column(file.text, from))
    .split(newline(file.text))
    .slice(0, -1);
  const colon = bare.indexOf(":", (pair.key.range ?? [0, from, 0])[1]) + 1;
  const added = head!.slice(head!.indexOf(":", head!.indexOf(key) + key.length) + 1);
  const withHead = spliced({ ...file, text: bare }, colon, colon, added);
  const at = lineEnd(withHead, colon);
  const text = below.map((line) => `${line}${newline(file.text)}`).join("");
  return spliced({ ...file, text: withHead }, at, at, text);
}

/** The text with the pair's value taken out; a comment on its first line stays. */
function withoutValue(file: YamlFile, pair: Found): string {
  const { text } = file;
  const from = start(pair.value);
  if (end(pair) <= from || pair.value === null) return text;
  const lead = /[ \t]*$/.exec(text.slice(0, from))![0].length;
  if (text[end(pair) - 1] !== "\n") return text.slice(0, from - lead) + text.slice(end(pair));
  const header = text.slice(from, text.indexOf("\n", from));
  const comment = /[ \t]+#.*$/.exec(header.trimEnd())?.[0] ?? "";
  return text.slice(0, from - lead) + comment + newline(text) + text.slice(lineEnd(text, end(pair)));
}

function lines(file: YamlFile, path: readonly string[], put: YamlText, indent: number): string {
  const heads = path.map((key, depth) => `${" ".repeat(indent + depth * STEP)}${stringify(key).trim()}:`);
  const inner = indent + path.length * STEP;
  const tail =
    "word" in put
      ? [` ${put.word}`]
      : "text" in put
        ? blockScalar(put.text, inner)
        : [
            "",
            ...stringify(put.map, { lineWidth: 0 })
              .trimEnd()
              .split("\n")
              .map((line) => `${" ".repeat(inner)}${line}`),
          ];
  const [first, ...below] = tail;
  heads[heads.length - 1] += first!;
  return [...heads, ...below].map((line) => `${line}${newline(file.text)}`).join("");
}

function isEmpty(value: unknown): boolean {
  if (value === null) return true;
  if (isMap(value)) return value.flow === true && value.items.length === 0;
  return isScalar(value) && value.value === null;
}

/** Where a pair's last value ends, before what only trails it. */
export function end(pair: Found): number {
  const value = pair.value as unknown;
  const keyEnd = (pair.key as Ranged).range?.[1] ?? 0;
  if (value === null || (isScalar(value) && value.value === null && value.source === "")) return keyEnd;
  return nodeEnd(value);
}

export function nodeEnd(node: unknown): number {
  if (isMap(node) && !node.flow && node.items.length > 0) return end(node.items.at(-1) as Found);
  if (isSeq(node) && !node.flow && node.items.length > 0) return nodeEnd(node.items.at(-1));
  return (node as Ranged).range?.[1] ?? 0;
}

/** Offset after the line break of the line in which `offset` lies; blank lines after block text stay below. */
export function lineEnd(text: string, offset: number): number {
  if (offset > 0 && text[offset - 1] === "\n") {
    const blank = /(?:\r?\n)((?:[ \t]*\r?\n)+)$/.exec(text.slice(0, offset));
    return blank === null ? offset : offset - blank[1]!.length;
  }
  const found = text.indexOf("\n", offset);
  return found === -1 ? text.length : found + 1;
}

export function spliced(file: YamlFile, from: number, to: number, text: string): string {
  const gap = from === file.text.length && from > 0 && text.endsWith("\n") && !file.text.endsWith("\n");
  return file.text.slice(0, from) + (gap ? newline(file.text) : "") + text + file.text.slice(to);
}

export function column(text: string, offset: number): number {
  return offset - (text.lastIndexOf("\n", offset - 1) + 1);
}

export function newline(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

function notMap(file: YamlFile, node: unknown, path: readonly string[]): Error {
  return refusal(
    file.at(start(node)),
    `no map at ${path.join(".") || "the top"}`,
    "a map",
    "write it as a map",
  );
}

function flow(file: YamlFile, map: YAMLMap, path: readonly string[]): Error {
  return refusal(
    file.at(start(map)),
    `a map in braces where ${path.join(".")} is to be set`,
    "a map with one key a line",
    "write this map in block form",
  );
}
