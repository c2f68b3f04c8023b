import { posix } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { isSeq } from "yaml";
import type { RaftPolicyObject } from "../raftPolicyObjects";
import { refusal } from "./landRefusal";
import { putDocument } from "./putDocument";
import { documentIndex, plain, valueAt, yamlFile } from "./yamlFile";
import { yamlListAdd } from "./yamlList";

/** The policies of stage network, and the file that is to hold them. */
export interface PolicyFile {
  /** Path inside the checkout; a file that is not there is made. */
  readonly file: string;
  /** Those that run in the cluster. */
  readonly objects: readonly RaftPolicyObject[];
}

const HEAD = "# OpenBao's nodes reach each other: 8200 to join, 8201 to replicate.\n";

/** The kustomization that lists a file of its folder. */
export function kustomizationOf(file: string): string {
  return posix.join(posix.dirname(posix.normalize(file)), "kustomization.yaml");
}

/**
 * Gives the texts of the policy file and of the kustomization beside it. A file of the user's own gets documents, which
 * whoever applies it applies, too; one that holds nothing but these policies is ours, and is listed in `resources`.
 * @throws LandRefusal, with file and line, for a shape that is not understood.
 */
export function networkPolicyEdit(
  { file, objects }: PolicyFile,
  text: string | undefined,
  kustomization: string | undefined,
): { readonly text: string; readonly kustomization?: string } {
  const written = objects.reduce((before, object) => putPolicy(before, file, object), text ?? HEAD);
  if (!isOurs(written, file, objects)) return { text: written };
  if (kustomization === undefined) {
    throw refusal(
      file,
      text === undefined ? `no such file, and no ${kustomizationOf(file)}` : `no ${kustomizationOf(file)}`,
      "a file that is applied, or a kustomization.yaml beside it that can list it",
      "name such a path in git.networkPolicy",
    );
  }
  return { text: written, kustomization: listed(kustomization, file) };
}

function putPolicy(source: string, file: string, object: RaftPolicyObject): string {
  return putDocument(source, file, {
    object,
    what: `${object.kind} ${object.metadata.name}`,
    isMine: (found) => isPolicy(found, object),
    says: (found) => isDeepStrictEqual(valueAt(found, ["spec"]), object.spec),
  });
}

/** A kustomization may give the namespace, so that the document need not. */
function isPolicy(found: unknown, { kind, metadata }: RaftPolicyObject): boolean {
  const namespace = valueAt(found, ["metadata", "namespace"]);
  return (
    valueAt(found, ["kind"]) === kind &&
    valueAt(found, ["metadata", "name"]) === metadata.name &&
    (namespace === undefined || namespace === metadata.namespace)
  );
}

function isOurs(text: string, file: string, objects: readonly RaftPolicyObject[]): boolean {
  const found = yamlFile(text, file).documents.map(plain);
  return found.every((one) => one === null || objects.some((object) => isPolicy(one, object)));
}

function listed(text: string, file: string): string {
  const name = kustomizationOf(file);
  const parsed = yamlFile(text, name);
  const index = documentIndex(parsed, name, "Kustomization", (object) =>
    ["Kustomization", undefined].includes(valueAt(object, ["kind"]) as string | undefined),
  );
  const document = parsed.documents[index]!;
  const list: unknown = document.get("resources", true);
  if (!isSeq(list)) {
    throw refusal(
      parsed.at(document.contents?.range[0] ?? 0),
      "no list resources",
      `one, to add ${posix.basename(file)} to`,
      "write it",
    );
  }
  const wanted = posix.basename(file);
  const there = valueAt(plain(document), ["resources"]) as readonly unknown[];
  if (there.some((one) => posix.normalize(String(one)) === wanted)) return text;
  return yamlListAdd(text, name, index, ["resources"], wanted);
}
