import { configBlocks, parsedConfig, type ConfigBlock, type ServerConfig } from "./configBlocks";
import { hclItems, type HclItem, type HclObject } from "./hclBlocks";
import { keyName } from "./hclLiteral";
import { failure } from "./hclTokens";
import { clusterListeners } from "./clusterAddress";
import { raftConfigMap } from "./raftConfigMap";
import { joinTargets, storageTuning, type RaftConfigOptions } from "./retryJoin";
import { refuseUnfit, STORAGE_KEYS, storageBlock } from "./serverConfig";

/**
 * Turns the config of a standalone server on file storage into the one of the same server on Raft. All that
 * is not named here stays byte for byte and in its order; the audit blocks must (the server compares them
 * with what it has stored).
 * @throws ServerConfigError for a config that is not understood, or cannot run on Raft.
 */
export function raftConfig(source: ServerConfig, options: RaftConfigOptions): string | object {
  const config = parsedConfig(source);
  refuseUnfit(config);
  const targets = joinTargets(config, options);
  if (typeof config !== "string") {
    const map = raftConfigMap(config, targets, options);
    return typeof source === "string" ? `${JSON.stringify(map, null, 2)}\n` : map;
  }
  const edits = [storageEdit(config, targets, options), ...listenerEdits(config)].flat();
  return registered(config, applied(config, edits));
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function storageEdit(
  source: string,
  targets: readonly Readonly<Record<string, string>>[],
  options: RaftConfigOptions,
): Edit[] {
  const block = storageBlock(source);
  const item = itemOf(source, block);
  const body = block.body!;
  const label = item.keys[1]!;
  const keys = body.items.map((each) => keyName(source, each.keys[0]!));
  const stranger = keys.find((key, at) => !STORAGE_KEYS.includes(key) || keys.indexOf(key) !== at);
  if (block.labels[0]!.toLowerCase() !== "file") {
    throw failure(source, label.start, `storage of type ${JSON.stringify(block.labels[0])}`, '"file"');
  }
  if (stranger !== undefined || body.templated) {
    const found = body.templated
      ? "a Helm action in the storage block"
      : `"${stranger}" in the storage block`;
    throw failure(source, body.start, found, `each of ${STORAGE_KEYS.join(", ")} at most once`);
  }
  if (!keys.includes("path")) throw failure(source, body.start, "a storage block without path", "path");
  const lines = targets.flatMap((target) => [
    "retry_join {",
    ...Object.entries(target).map(([key, value]) => `  ${key} = ${quoted(value)}`),
    "}",
  ]);
  lines.unshift(...Object.entries(storageTuning(options)).map(([key, value]) => `${key} = ${quoted(value)}`));
  return [{ start: label.start, end: label.end, text: '"raft"' }, appended(source, body, lines)];
}

function listenerEdits(source: string): Edit[] {
  return clusterListeners(source).map(({ block, address }) =>
    appended(source, block.body!, [`cluster_address = "${address}"`]),
  );
}

/** Puts lines before the closing brace, indented as the block's first item is. */
function appended(source: string, body: HclObject, lines: readonly string[]): Edit {
  const newline = newlineOf(source);
  const close = body.end - 1;
  const closeLine = source.lastIndexOf("\n", close) + 1;
  const outer = /^[ \t]*/.exec(source.slice(source.lastIndexOf("\n", body.start) + 1))![0];
  const first = body.items[0];
  const lead =
    first === undefined ? "" : source.slice(source.lastIndexOf("\n", first.start) + 1, first.start);
  const inner = lead !== "" && /^[ \t]+$/.test(lead) ? lead : `${outer}  `;
  const text = lines.map((line) => `${inner}${line}${newline}`).join("");
  const alone = closeLine > body.start && /^[ \t]*$/.test(source.slice(closeLine, close));
  if (alone) return { start: closeLine, end: closeLine, text };
  const gap = /[ \t]*$/.exec(source.slice(body.start + 1, close))![0].length;
  return { start: close - gap, end: close, text: `${newline}${text}${outer}` };
}

function applied(source: string, edits: readonly Edit[]): string {
  const ordered = [...edits].sort((a, b) => b.start - a.start);
  return ordered.reduce(
    (text, { start, end, text: put }) => text.slice(0, start) + put + text.slice(end),
    source,
  );
}

function registered(source: string, result: string): string {
  if (configBlocks(source, "service_registration").length > 0) return result;
  const newline = newlineOf(source);
  const gap = result.endsWith("\n") || result === "" ? "" : newline;
  return `${result}${gap}${newline}service_registration "kubernetes" {}${newline}`;
}

function itemOf(source: string, block: ConfigBlock): HclItem {
  return hclItems(source).find((item) => item.value.start === block.body!.start)!;
}

function newlineOf(source: string): string {
  return source.includes("\r\n") ? "\r\n" : "\n";
}

/** The values are addresses and paths without control characters (retryJoin.ts sees to it). */
function quoted(value: string): string {
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
