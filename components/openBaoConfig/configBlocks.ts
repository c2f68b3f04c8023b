import { parseDocument } from "yaml";
import { hclItems, type HclObject } from "./hclBlocks";
import { keyName, plainObject } from "./hclLiteral";
import { failure, lineAt, ServerConfigError } from "./hclTokens";

/** A server config as the chart takes it: HCL or JSON text, or a map. */
export type ServerConfig = string | object;

/** One block of the config, whichever form it came in. */
export interface ConfigBlock {
  readonly labels: readonly string[];
  readonly fields: Readonly<Record<string, unknown>>;
  /** Where it stands, for messages. */
  readonly where: string;
  /** Its body in HCL text; absent in the map form. */
  readonly body?: HclObject;
}

/** How many labels a block of each name can have (`audit "file" "path/"`). */
const LABELS = {
  storage: 1,
  backend: 1,
  ha_storage: 1,
  listener: 1,
  service_registration: 1,
  audit: 2,
  initialize: 1,
} as const;
export type BlockName = keyof typeof LABELS;

/** HCL text stays text; a map stays a map; JSON text becomes a map. */
export function parsedConfig(config: ServerConfig): string | Record<string, unknown> {
  if (typeof config !== "string") return plainMap(config, "the server config");
  if (!/^\s*\{(?!\{)/.test(config)) return config;
  let parsed: unknown;
  try {
    parsed = JSON.parse(config);
  } catch {
    throw new ServerConfigError(
      'OpenBao\'s server config begins with "{" and so is read as JSON, but is not valid JSON; correct it',
    );
  }
  // JSON.parse drops all but the last of equal keys; the server takes each as a block.
  if (parseDocument(config, { schema: "json", uniqueKeys: true }).errors.length > 0) {
    throw new ServerConfigError(
      "OpenBao's server config: found the same key more than once in a JSON map, expected a list; write a list",
    );
  }
  return plainMap(parsed, "the server config");
}

/** All blocks of one name, in their order. @throws ServerConfigError when one is not a block. */
export function configBlocks(config: ServerConfig, name: BlockName): ConfigBlock[] {
  const parsed = parsedConfig(config);
  return typeof parsed === "string" ? hclBlocks(parsed, name) : mapBlocks(parsed, name);
}

/** A top-level value, undefined when absent. The server compares names without regard to case. */
export function topLevel(config: ServerConfig, name: string): unknown {
  const parsed = parsedConfig(config);
  if (typeof parsed !== "string") return field(parsed, name);
  const items = hclItems(parsed).filter((item) => keyName(parsed, item.keys[0]!).toLowerCase() === name);
  const last = items.at(-1);
  return last === undefined ? undefined : field(plainObject(parsed, { ...EMPTY, items: [last] }), name);
}

/** A field by its name, without regard to case. */
export function field(fields: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(fields, name)) return fields[name];
  return Object.entries(fields).find(([key]) => key.toLowerCase() === name)?.[1];
}

/** True for a plain map. */
export function isMap(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const EMPTY: HclObject = { kind: "object", items: [], templated: false, start: 0, end: 0 };

function hclBlocks(source: string, name: BlockName): ConfigBlock[] {
  return hclItems(source)
    .filter((item) => keyName(source, item.keys[0]!).toLowerCase() === name)
    .map((item) => {
      const body = item.value;
      if (body.kind !== "object" || item.keys.length - 1 > LABELS[name]) {
        throw failure(source, item.start, `"${name}" in another form`, `${name} "TYPE" { ... }`);
      }
      return {
        labels: item.keys.slice(1).map((key) => keyName(source, key)),
        fields: plainObject(source, body),
        where: `line ${lineAt(source, item.start)}`,
        body,
      };
    });
}

function mapBlocks(config: Record<string, unknown>, name: BlockName): ConfigBlock[] {
  return Object.entries(config)
    .filter(([key]) => key.toLowerCase() === name)
    .flatMap(([key, value]) => flattened(value, [], LABELS[name], key));
}

/** HCL's JSON form nests labels as maps, and repeats blocks as lists, at any level. */
function flattened(value: unknown, labels: readonly string[], depth: number, where: string): ConfigBlock[] {
  if (Array.isArray(value)) {
    return value.flatMap((each, index) => flattened(each, labels, depth, `${where}[${index}]`));
  }
  const fields = plainMap(value, `"${where}"`);
  const entries = Object.entries(fields);
  const nested = entries.length > 0 && entries.every(([, inner]) => isMap(inner) || Array.isArray(inner));
  if (depth === 0 || !nested) return [{ labels, fields, where }];
  return entries.flatMap(([label, inner]) =>
    flattened(inner, [...labels, label], depth - 1, `${where}.${label}`),
  );
}

function plainMap(value: unknown, what: string): Record<string, unknown> {
  if (isMap(value)) return value;
  throw new ServerConfigError(
    `OpenBao's server config: found ${Array.isArray(value) ? "a list" : typeof value} for ${what}, ` +
      "expected a map; correct the server config in the HelmRelease",
  );
}
