import { refusal } from "./landRefusal";
import { documentIndex, plain, valueAt, yamlFile } from "./yamlFile";
import { lineOf, yamlRemove, type YamlPath } from "./yamlList";

/** Whose exemption is dropped. */
export interface ReplicaFloorOptions {
  /** Path of the file, for messages. */
  readonly file: string;
  readonly namespace: string;
  /** Name of the StatefulSet, too. */
  readonly release: string;
}

/**
 * Gives the text of a Kyverno policy with the server's exemption by namespace or by name taken out of its rules' `exclude`;
 * every other byte stays. A policy that exempts it nowhere stays as it is; an exemption by a label stands elsewhere.
 * @throws LandRefusal, with file and line, for a shape that is not understood.
 */
export function replicaFloorEdit(source: string, options: ReplicaFloorOptions): string {
  let text = source;
  // Each round takes one entry out, so that there is an end.
  for (;;) {
    const found = firstExemption(text, options);
    if (found === undefined) return text;
    text = yamlRemove(text, options.file, found.index, found.path, options.namespace);
  }
}

interface Place {
  readonly index: number;
  readonly path: YamlPath;
}

function firstExemption(text: string, options: ReplicaFloorOptions): Place | undefined {
  const file = yamlFile(text, options.file);
  const index = documentIndex(
    file,
    options.file,
    "Kyverno policy",
    (object) =>
      ["ClusterPolicy", "Policy"].includes(String(valueAt(object, ["kind"]))) &&
      String(valueAt(object, ["apiVersion"])).startsWith("kyverno.io/"),
  );
  const object = plain(file.documents[index]!);
  const rules = valueAt(object, ["spec", "rules"]);
  if (!Array.isArray(rules)) {
    throw refusal(lineOf(file, index, []), "no list spec.rules", "the rules of the policy", "name its file");
  }
  for (const item of (rules as unknown[]).flatMap(excludedBy)) {
    const path = entryIn(item, options, (at, found) =>
      refusal(
        lineOf(file, index, at),
        found,
        `${options.namespace} exempted by its own name, or not at all`,
        "write it out",
      ),
    );
    if (path !== undefined) return { index, path };
  }
  return undefined;
}

/** One condition of an `exclude`. */
interface Excluded {
  readonly item: unknown;
  readonly path: YamlPath;
  /** What goes when the condition goes: an exclude without one would take in everything. */
  readonly whole: YamlPath;
}

function excludedBy(rule: unknown, at: number): Excluded[] {
  const exclude = ["spec", "rules", at, "exclude"];
  const listed = ["any", "all"].flatMap((key) => {
    const items = valueAt(rule, ["exclude", key]);
    if (!Array.isArray(items)) return [];
    return (items as unknown[]).map((item, place) => {
      const path = [...exclude, key, place];
      return { item, path, whole: items.length === 1 || key === "all" ? exclude : path };
    });
  });
  // The form of before Kyverno 1.4.
  const direct = valueAt(rule, ["exclude", "resources"]);
  return direct === undefined
    ? listed
    : [...listed, { item: valueAt(rule, ["exclude"]), path: exclude, whole: exclude }];
}

type Refuse = (at: YamlPath, found: string) => Error;

/** What is to be removed for the server to be no longer taken in by this condition. */
function entryIn(
  { item, path, whole }: Excluded,
  { namespace, release }: ReplicaFloorOptions,
  refuse: Refuse,
): YamlPath | undefined {
  const resources = valueAt(item, ["resources"]);
  const labelled = ["selector", "namespaceSelector", "annotations"].some(
    (key) => valueAt(resources, [key]) !== undefined,
  );
  if (labelled || !takesStatefulSets(resources)) return undefined;
  const asked = [
    { key: "namespaces", word: namespace },
    { key: "names", word: release },
  ].flatMap(({ key, word }) => {
    const list = valueAt(resources, [key]);
    return Array.isArray(list) ? [{ at: [...path, "resources", key], list: list.map(String), word }] : [];
  });
  if (asked.length === 0 || asked.some(({ list, word }) => !list.some((one) => matches(one, word))))
    return undefined;
  const pattern = asked
    .flatMap(({ at, list, word }) => list.map((one, place) => ({ at: [...at, place], one, word })))
    .find(({ one, word }) => one !== word && matches(one, word));
  if (pattern !== undefined)
    throw refuse(pattern.at, `the pattern ${JSON.stringify(pattern.one)}, which takes ${pattern.word} in`);
  if (asked.every(({ list }) => list.length === 1)) return whole;
  const [only, ...more] = asked;
  if (more.length > 0) throw refuse(path, "namespaces and names in one exemption of several workloads");
  return [...only!.at, only!.list.indexOf(only!.word)];
}

function takesStatefulSets(resources: unknown): boolean {
  const kinds = valueAt(resources, ["kinds"]);
  return !Array.isArray(kinds) || kinds.some((kind) => /(^|\/)(StatefulSet|\*)$/.test(String(kind)));
}

/** Kyverno's wildcards: `*` for any text, `?` for one character. */
function matches(pattern: string, word: string): boolean {
  const parts = [...pattern].map((one) =>
    one === "*" ? ".*" : one === "?" ? "." : one.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"),
  );
  return new RegExp(`^${parts.join("")}$`).test(word);
}
