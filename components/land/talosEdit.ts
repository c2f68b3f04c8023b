import { networkRule, RULE_NAME } from "../talosRule";
import { refusal } from "./landRefusal";
import { putDocument } from "./putDocument";
import { plain, valueAt, yamlFile } from "./yamlFile";

/** What the Talos patch file is to say. */
export interface TalosEditOptions {
  /** Path of the file, for messages. */
  readonly file: string;
  /** Subnets of the nodes. */
  readonly nodeSubnets: readonly string[];
}

/**
 * Gives the file's text with the rule for Raft in it: its own document is put at the end, or set right where it stands.
 * Every other document stays byte for byte.
 * @throws LandRefusal for a file that does not parse, or that says that nothing is blocked by default.
 */
export function talosEdit(source: string, { file, nodeSubnets }: TalosEditOptions): string {
  const parsed = yamlFile(source, file);
  const documents = parsed.documents.map((document) => ({ document, object: plain(document) }));
  const open = documents.find(
    ({ object }) =>
      valueAt(object, ["kind"]) === "NetworkDefaultActionConfig" && valueAt(object, ["ingress"]) !== "block",
  );
  if (open !== undefined) {
    throw refusal(
      parsed.at(open.document.range[0]),
      "NetworkDefaultActionConfig without ingress: block",
      "block: with accept a rule closes its ports to all but its subnets",
      'remove "openbao-migration:git.talosPatch"; nothing needs to be opened',
    );
  }
  const rule = networkRule(nodeSubnets);
  return putDocument(source, file, {
    object: rule,
    what: `NetworkRuleConfig ${RULE_NAME}`,
    isMine: (found) =>
      valueAt(found, ["kind"]) === "NetworkRuleConfig" && valueAt(found, ["name"]) === RULE_NAME,
    says: (found) => JSON.stringify(found) === JSON.stringify(rule),
  });
}
