import type { HclObject, HclValue } from "./hclBlocks";
import type { HclToken } from "./hclTokens";

/** Stands for text that Helm or Flux fills in later, so that its value cannot be known from the source. */
export class Templated {
  constructor(readonly raw: string) {}
}

/** A key's name: an identifier as it stands, a quoted one decoded. */
export function keyName(source: string, token: HclToken): string {
  const value = literal(source, token);
  return typeof value === "string" ? value : source.slice(token.start, token.end);
}

/** Gives a value as plain data; what Helm or Flux fills in later comes as `Templated`. */
export function plainValue(source: string, value: HclValue): unknown {
  switch (value.kind) {
    case "literal":
      return literal(source, value.token);
    case "list":
      return value.values.map((each) => plainValue(source, each));
    case "object":
      return plainObject(source, value);
  }
}

/** A body as plain data; keys that occur again (nested blocks may) become a list in their order. */
export function plainObject(source: string, object: HclObject): Record<string, unknown> {
  const fields = new Map<string, unknown[]>();
  for (const item of object.items) {
    const [first, ...labels] = item.keys.map((key) => keyName(source, key));
    const inner = plainValue(source, item.value);
    const value = labels.reduceRight<unknown>((nested, label) => ({ [label]: nested }), inner);
    fields.set(first!, [...(fields.get(first!) ?? []), value]);
  }
  return Object.fromEntries(
    [...fields].map(([key, values]) => [key, values.length === 1 ? values[0] : values]),
  );
}

function literal(source: string, token: HclToken): unknown {
  const raw = source.slice(token.start, token.end);
  switch (token.kind) {
    case "number":
      return Number(raw);
    case "template":
      return new Templated(raw);
    case "heredoc":
      return heredocText(raw);
    case "string": {
      const inner = raw.slice(1, -1);
      return inner.includes("{{") || inner.includes("${") ? new Templated(inner) : unescaped(inner);
    }
    default:
      return raw === "true" ? true : raw === "false" ? false : raw;
  }
}

const SIMPLE: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
};

function unescaped(inner: string): string {
  return inner.replace(
    /\\(?:([abfnrtv\\"])|([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/g,
    (_, simple?: string, octal?: string, hex?: string, short?: string, long?: string) => {
      if (simple !== undefined) return SIMPLE[simple]!;
      const code = octal !== undefined ? parseInt(octal, 8) : parseInt((hex ?? short ?? long)!, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
    },
  );
}

/** Without the anchor lines; "<<-" also drops the indentation that all lines share. */
function heredocText(raw: string): string {
  const lines = raw.replaceAll("\r\n", "\n").split("\n").slice(1);
  const close = lines.pop() ?? "";
  if (!raw.startsWith("<<-")) return lines.map((line) => `${line}\n`).join("");
  const indent = /^[ \t]*/.exec(close)![0];
  const shared = lines.every((line) => line.startsWith(indent)) ? indent.length : 0;
  return lines.map((line) => `${line.slice(shared)}\n`).join("");
}
