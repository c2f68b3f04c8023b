import { isDeepStrictEqual } from "node:util";
import { LandRefusal } from "./landRefusal";
import { plain, valueAt, yamlFile } from "./yamlFile";
import { yamlSet, type YamlText } from "./yamlSet";

/** One value to set, as the text that goes into the file and as the value that a reader then gets. */
export interface YamlEdit {
  readonly path: readonly string[];
  readonly put: YamlText;
  readonly value: unknown;
}

/**
 * Makes the edits that are not there yet, and proves by reading both texts that they, and nothing else, changed.
 * @param index the document in the file.
 * @throws LandRefusal when the file's shape does not allow that.
 */
export function yamlEdit(source: string, name: string, index: number, edits: readonly YamlEdit[]): string {
  const expected = yamlFile(source, name).documents.map(plain);
  let text = source;
  for (const { path, put, value } of edits) {
    if (isDeepStrictEqual(valueAt(expected[index], path), value)) continue;
    text = yamlSet(text, name, index, path, put);
    expected[index] = withValue(expected[index], path, value);
  }
  const found = yamlFile(text, name).documents.map(plain);
  if (!isDeepStrictEqual(found, expected)) {
    throw new LandRefusal(
      `${name}: found a shape of YAML that this program cannot edit safely; edit it by hand`,
    );
  }
  return text;
}

function withValue(node: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const fields = typeof node === "object" && node !== null ? (node as Record<string, unknown>) : {};
  return { ...fields, [key]: withValue(Object.hasOwn(fields, key) ? fields[key] : undefined, rest, value) };
}
