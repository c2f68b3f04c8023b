import { isMap, isScalar, isSeq, stringify, type Document, type YAMLSeq } from "yaml";
import { isDeepStrictEqual } from "node:util";
import { refusal } from "./landRefusal";
import { plain, refuseShared, start, yamlFile, type YamlFile } from "./yamlFile";
import { column, end, lineEnd, newline, nodeEnd, spliced, type Found } from "./yamlSet";

export type YamlPath = readonly (string | number)[];

/**
 * Adds a word at the end of the list at `path`, and proves by reading both texts that nothing else changed.
 * @throws LandRefusal with file and line for a place that is no list, or a shape that cannot be edited so.
 */
export function yamlListAdd(
  source: string,
  name: string,
  index: number,
  path: YamlPath,
  word: string,
): string {
  const file = yamlFile(source, name);
  const list = nodeAt(file, index, path);
  if (!isSeq(list)) throw refusal(placeOf(file, list), `no list ${path.join(".")}`, "a list", "write one");
  const last: unknown = list.items.at(-1);
  const text = stringify(word).trim();
  const added =
    list.flow === true
      ? inFlow(file, list, text)
      : addedLine(file, last, `${" ".repeat(column(source, start(list)))}- ${text}${newline(source)}`);
  return proved(source, added, file, index, path, list, (parent, key) => {
    (parent[key] as unknown[]).push(word);
  });
}

/**
 * Removes the list item or the key at `path` with its own lines, and proves by reading both texts that nothing else
 * changed. Comments stay, but those just above it that speak of `about`.
 * @throws LandRefusal with file and line for a shape that cannot be edited so.
 */
export function yamlRemove(
  source: string,
  name: string,
  index: number,
  path: YamlPath,
  about: string,
): string {
  const file = yamlFile(source, name);
  const parent = nodeAt(file, index, path.slice(0, -1));
  const key = path.at(-1)!;
  const node = nodeAt(file, index, path);
  const taken =
    isSeq(parent) && parent.flow === true
      ? outOfFlow(file, parent, key as number)
      : withoutLines(file, parent, key, about);
  return proved(source, taken, file, index, path, node, (holder, at) => {
    if (Array.isArray(holder)) holder.splice(at as number, 1);
    else delete holder[at];
  });
}

/** `file:line` of a path. */
export function lineOf(file: YamlFile, index: number, path: YamlPath): string {
  return placeOf(file, nodeAt(file, index, path));
}

function placeOf(file: YamlFile, node: unknown): string {
  return file.at(start(node));
}

/** The node of a path; nothing on the way is shared with another place. */
function nodeAt(file: YamlFile, index: number, path: YamlPath): unknown {
  const document: Document.Parsed = file.documents[index]!;
  let node: unknown = document.contents;
  for (const key of path) {
    refuseShared(file, document, node);
    const next: unknown = isSeq(node)
      ? node.items[key as number]
      : isMap(node)
        ? node.items.find((pair) => isScalar(pair.key) && pair.key.value === key)?.value
        : undefined;
    if (next === undefined || next === null) {
      throw refusal(placeOf(file, node), `no ${path.join(".")}`, "it there", "write it out");
    }
    node = next;
  }
  refuseShared(file, document, node);
  return node;
}

function addedLine(file: YamlFile, last: unknown, line: string): string {
  const at = lineEnd(file.text, nodeEnd(last));
  return spliced(file, at, at, line);
}

function inFlow(file: YamlFile, list: YAMLSeq, text: string): string {
  const last: unknown = list.items.at(-1);
  if (last === undefined) return spliced(file, start(list) + 1, start(list) + 1, text);
  return spliced(file, nodeEnd(last), nodeEnd(last), `, ${text}`);
}

function outOfFlow(file: YamlFile, list: YAMLSeq, at: number): string {
  const [before, mine, after] = [list.items[at - 1], list.items[at], list.items[at + 1]];
  const from = before === undefined ? start(mine) : nodeEnd(before);
  const to = before === undefined && after !== undefined ? start(after) : nodeEnd(mine);
  if (file.text.slice(from, to).includes("#")) throw unsafe(file, mine, "a comment between its items");
  return spliced(file, from, to, "");
}

/** All lines of an item or of a key in block form. */
function withoutLines(file: YamlFile, parent: unknown, key: string | number, about: string): string {
  const pair = isMap(parent)
    ? parent.items.find((one) => isScalar(one.key) && one.key.value === key)
    : undefined;
  const node: unknown = isSeq(parent) ? parent.items[key as number] : pair?.key;
  const from = file.text.lastIndexOf("\n", start(node) - 1) + 1;
  const lead = file.text.slice(from, start(node));
  const alone = isSeq(parent) ? /^ *- +$/ : /^ *$/;
  if (!alone.test(lead) || (isMap(parent) && parent.flow === true))
    throw unsafe(file, node, "other text on its line");
  const to = lineEnd(file.text, pair === undefined ? nodeEnd(node) : end(pair as Found));
  return spliced(file, commentAbove(file.text, from, about), to, "");
}

/** Where the comment lines just above begin, when they speak of the word; else where they end. */
function commentAbove(text: string, from: number, about: string): number {
  let at = from;
  for (;;) {
    const line = text.lastIndexOf("\n", at - 2) + 1;
    if (at === 0 || !/^ *#/.test(text.slice(line, at))) break;
    at = line;
  }
  return text.slice(at, from).toLowerCase().includes(about.toLowerCase()) ? at : from;
}

function proved(
  source: string,
  changed: string,
  file: YamlFile,
  index: number,
  path: YamlPath,
  node: unknown,
  change: (holder: Record<string | number, unknown>, key: string | number) => void,
): string {
  const expected = yamlFile(source, file.name).documents.map(plain);
  const parent = path.slice(0, -1).reduce<unknown>((one, key) => (one as never)[key], expected[index]);
  change(parent as Record<string | number, unknown>, path.at(-1)!);
  const found = yamlFile(changed, file.name).documents.map(plain);
  if (!isDeepStrictEqual(found, expected)) throw unsafe(file, node, "a shape of YAML");
  return changed;
}

function unsafe(file: YamlFile, node: unknown, found: string): Error {
  return refusal(
    placeOf(file, node),
    `${found} that this program cannot edit safely`,
    "one item or key a line",
    "edit it by hand",
  );
}
