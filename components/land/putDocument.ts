import { stringify } from "yaml";
import { refusal } from "./landRefusal";
import { plain, yamlFile } from "./yamlFile";

/** A document of a YAML file that is to say what `object` says. */
export interface WantedDocument {
  readonly object: object;
  /** Its name in messages. */
  readonly what: string;
  /** Whether a document of the file is this one. */
  readonly isMine: (found: unknown) => boolean;
  /** Whether a document that is this one says enough of it already. */
  readonly says: (found: unknown) => boolean;
}

/**
 * Gives the file's text with the document in it: put at the end, or set right where it stands. Every other document stays
 * byte for byte.
 * @throws LandRefusal for a file that does not parse, or that has it more than once.
 */
export function putDocument(source: string, file: string, wanted: WantedDocument): string {
  const parsed = yamlFile(source, file);
  const documents = parsed.documents.map((document) => ({ document, found: plain(document) }));
  const mine = documents.filter(({ found }) => wanted.isMine(found));
  if (mine.length > 1)
    throw refusal(
      parsed.at(mine[1]!.document.range[0]),
      `${mine.length} times ${wanted.what}`,
      "one",
      "remove the others",
    );
  const old = mine[0];
  if (old !== undefined && wanted.says(old.found)) return source;
  const end = source.includes("\r\n") ? "\r\n" : "\n";
  const text = stringify(wanted.object, { lineWidth: 0 }).replace(/\n/g, end);
  const place = old?.document.contents?.range;
  if (place)
    return source.slice(0, place[0]) + text.trimEnd() + end + source.slice(place[1]).replace(/^\r?\n/, "");
  const lead = source === "" || source.endsWith("\n") ? source : `${source}${end}`;
  return documents.every(({ found }) => found === null) ? lead + text : `${lead}---${end}${text}`;
}
