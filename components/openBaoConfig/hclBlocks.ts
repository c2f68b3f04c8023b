import { failure, hclTokens, type HclToken } from "./hclTokens";

/** A value with its place in the source; `end` is the offset after its last character. */
export type HclValue =
  | { readonly kind: "literal"; readonly token: HclToken; readonly start: number; readonly end: number }
  | {
      readonly kind: "list";
      readonly values: readonly HclValue[];
      readonly start: number;
      readonly end: number;
    }
  | HclObject;

/** A block's body; `start` is its opening brace. `templated` when a Helm action stands between its items. */
export interface HclObject {
  readonly kind: "object";
  readonly items: readonly HclItem[];
  readonly templated: boolean;
  readonly start: number;
  readonly end: number;
}

/** `key = value`, `key { ... }` or `key "label" { ... }`. */
export interface HclItem {
  readonly keys: readonly HclToken[];
  readonly value: HclValue;
  readonly start: number;
  readonly end: number;
}

/** Deeper text is no server config, and would only exhaust the stack. */
const MAX_DEPTH = 50;

/**
 * Parses HCL 1 text into its items with their offsets, so that an edit can leave all other bytes alone.
 * @throws ServerConfigError where the server's own parser would refuse the text.
 */
export function hclItems(source: string): readonly HclItem[] {
  return new HclParser(source).file();
}

class HclParser {
  private readonly tokens: readonly HclToken[];
  private next = 0;
  private depth = 0;

  constructor(private readonly source: string) {
    this.tokens = hclTokens(source);
  }

  file(): readonly HclItem[] {
    const { items } = this.items();
    const rest = this.tokens[this.next];
    if (rest !== undefined) throw this.unexpected("a key");
    return items;
  }

  private items(): { items: HclItem[]; templated: boolean } {
    const items: HclItem[] = [];
    let templated = false;
    for (;;) {
      const token = this.tokens[this.next];
      if (token === undefined || token.kind === "}") return { items, templated };
      if (token.kind === "template") {
        templated = true;
        this.next += 1;
        continue;
      }
      items.push(this.item());
      if (this.tokens[this.next]?.kind === ",") this.next += 1;
    }
  }

  private item(): HclItem {
    const keys: HclToken[] = [];
    for (;;) {
      const token = this.tokens[this.next];
      if (token?.kind !== "identifier" && token?.kind !== "string") break;
      keys.push(token);
      this.next += 1;
    }
    const first = keys[0];
    const mark = this.tokens[this.next];
    if (first === undefined) throw this.unexpected("a key");
    if (mark?.kind === "=" && keys.length === 1) {
      this.next += 1;
      const value = this.value();
      return { keys, value, start: first.start, end: value.end };
    }
    if (mark?.kind !== "{") throw this.unexpected('"{" or, after one key, "="');
    const value = this.object();
    return { keys, value, start: first.start, end: value.end };
  }

  private value(): HclValue {
    const token = this.tokens[this.next];
    switch (token?.kind) {
      case "{":
        return this.object();
      case "[":
        return this.list();
      case "string":
      case "number":
      case "heredoc":
      case "template":
        break;
      case "identifier":
        if (!["true", "false"].includes(this.source.slice(token.start, token.end)))
          throw this.unexpected("a value");
        break;
      default:
        throw this.unexpected("a value");
    }
    this.next += 1;
    return { kind: "literal", token, start: token.start, end: token.end };
  }

  private object(): HclObject {
    const open = this.enter();
    const { items, templated } = this.items();
    return { kind: "object", items, templated, start: open.start, end: this.leave("}") };
  }

  private list(): HclValue {
    const open = this.enter();
    const values: HclValue[] = [];
    while (this.tokens[this.next]?.kind !== "]") {
      values.push(this.value());
      if (this.tokens[this.next]?.kind !== ",") break;
      this.next += 1;
    }
    return { kind: "list", values, start: open.start, end: this.leave("]") };
  }

  private enter(): HclToken {
    this.depth += 1;
    if (this.depth > MAX_DEPTH) throw this.unexpected(`at most ${MAX_DEPTH} blocks inside each other`);
    const open = this.tokens[this.next]!;
    this.next += 1;
    return open;
  }

  private leave(kind: "}" | "]"): number {
    const close = this.tokens[this.next];
    if (close?.kind !== kind) throw this.unexpected(`"${kind}"`);
    this.next += 1;
    this.depth -= 1;
    return close.end;
  }

  /** Names the token's kind, not its text: a value can be a secret (a seal's token). */
  private unexpected(expected: string): Error {
    const token = this.tokens[this.next];
    if (token === undefined)
      return failure(this.source, this.source.length, "the end of the config", expected);
    return failure(this.source, token.start, NAMES[token.kind] ?? `"${token.kind}"`, expected);
  }
}

const NAMES: Partial<Record<HclToken["kind"], string>> = {
  identifier: "a word",
  string: "a quoted string",
  number: "a number",
  heredoc: "a heredoc",
  template: "a template action",
};
