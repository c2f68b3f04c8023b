/** A server config that cannot be converted; the message says what was found, where, and what to do. */
export class ServerConfigError extends Error {
  override readonly name = "ServerConfigError";
}

export type HclTokenKind =
  "identifier" | "string" | "number" | "heredoc" | "template" | "{" | "}" | "[" | "]" | "=" | ",";

/** One token; the text between two tokens is white space and comments. Offsets count UTF-16 units. */
export interface HclToken {
  readonly kind: HclTokenKind;
  readonly start: number;
  readonly end: number;
}

/** 1-based line of an offset. */
export function lineAt(source: string, offset: number): number {
  let line = 1;
  for (let at = source.indexOf("\n"); at !== -1 && at < offset; at = source.indexOf("\n", at + 1)) line += 1;
  return line;
}

/**
 * Splits HCL 1 text as the server's own scanner does (hashicorp/hcl hcl/scanner). Two things of the layers
 * above stay opaque tokens: Helm actions `{{ ... }}` (the chart runs the config through tpl) and Flux
 * variables `${...}` outside strings.
 * @throws ServerConfigError on text that the server's scanner refuses, too.
 */
export function hclTokens(source: string): HclToken[] {
  const tokens: HclToken[] = [];
  let at = 0;
  while (at < source.length) {
    const char = source[at]!;
    if (char === " " || char === "\t" || char === "\n" || char === "\r") {
      at += 1;
    } else if (char === "#" || char === "/") {
      at = commentEnd(source, at);
    } else {
      const token = tokenAt(source, at);
      tokens.push(token);
      at = token.end;
    }
  }
  return tokens;
}

function tokenAt(source: string, start: number): HclToken {
  const char = source[start]!;
  if (source.startsWith("{{", start)) return { kind: "template", start, end: actionEnd(source, start) };
  if (source.startsWith("${", start)) return { kind: "template", start, end: variableEnd(source, start) };
  if (char === '"') return { kind: "string", start, end: stringEnd(source, start) };
  if (char === "<") return { kind: "heredoc", start, end: heredocEnd(source, start) };
  if (char === "{" || char === "}" || char === "[" || char === "]" || char === "=" || char === ",") {
    return { kind: char, start, end: start + 1 };
  }
  if (isDecimal(char) || (char === "-" && isDecimal(source[start + 1]))) {
    return { kind: "number", start, end: numberEnd(source, start) };
  }
  const first = String.fromCodePoint(source.codePointAt(start)!);
  if (isLetter(first)) return { kind: "identifier", start, end: identifierEnd(source, start) };
  throw failure(
    source,
    start,
    `the character ${JSON.stringify(first)}`,
    "a key, a value, a block or a comment",
  );
}

function commentEnd(source: string, start: number): number {
  if (source.startsWith("/*", start)) {
    const close = source.indexOf("*/", start + 2);
    if (close === -1) throw failure(source, start, "a comment without its end", '"*/"');
    return close + 2;
  }
  if (source[start] === "/" && source[start + 1] !== "/") {
    throw failure(source, start, 'a single "/"', 'a comment: "#", "//" or "/* */"');
  }
  const newline = source.indexOf("\n", start);
  return newline === -1 ? source.length : newline;
}

/** HCL 1 ignores quotes inside `${ }`, braces counted; Helm actions are skipped whole. */
function stringEnd(source: string, start: number): number {
  let braces = 0;
  let at = start + 1;
  while (at < source.length) {
    const char = source[at]!;
    if (char === '"' && braces === 0) return at + 1;
    if (char === "\n" && braces === 0) break;
    if (source.startsWith("{{", at)) {
      at = actionEnd(source, at);
    } else if (braces === 0 && source.startsWith("${", at)) {
      braces = 1;
      at += 2;
    } else if (char === "\\") {
      at = escapeEnd(source, at);
    } else {
      if (braces > 0 && char === "{") braces += 1;
      if (braces > 0 && char === "}") braces -= 1;
      at += 1;
    }
  }
  throw failure(source, start, "a string without its end", "a closing quote on the same line");
}

const ESCAPE_DIGITS: Readonly<Record<string, readonly [pattern: RegExp, length: number]>> = {
  x: [/^[0-9a-fA-F]{2}$/, 2],
  u: [/^[0-9a-fA-F]{4}$/, 4],
  U: [/^[0-9a-fA-F]{8}$/, 8],
};

function escapeEnd(source: string, backslash: number): number {
  const char = source[backslash + 1] ?? "";
  if (char !== "" && 'abfnrtv\\"'.includes(char)) return backslash + 2;
  const octal = source.slice(backslash + 1, backslash + 4);
  if (/^[0-7]{3}$/.test(octal)) return backslash + 4;
  const digits = ESCAPE_DIGITS[char];
  if (digits !== undefined && digits[0].test(source.slice(backslash + 2, backslash + 2 + digits[1]))) {
    return backslash + 2 + digits[1];
  }
  throw failure(source, backslash, `the escape ${JSON.stringify(`\\${char}`)}`, "an escape of HCL 1");
}

/** The server ends a heredoc at a line that holds only the anchor, indented or not, with either form. */
function heredocEnd(source: string, start: number): number {
  const newline = source.indexOf("\n", start);
  const header = newline === -1 ? null : /^<<(-?)([\p{L}\p{Nd}_]+)\r?$/u.exec(source.slice(start, newline));
  if (header === null)
    throw failure(source, start, "a heredoc without an anchor", '"<<NAME" and a line break');
  for (let line = newline + 1; ;) {
    const end = source.indexOf("\n", line);
    if (end === -1) throw failure(source, start, "a heredoc without its end", `a line with ${header[2]}`);
    if (
      source
        .slice(line, end)
        .replace(/^[ \t\v\f\r]*/, "")
        .replace(/\r*$/, "") === header[2]
    )
      return end;
    line = end + 1;
  }
}

/** Quoted text in a Go template action may hold "}}". */
function actionEnd(source: string, start: number): number {
  const comment = /^\{\{-?\s*\/\*/.exec(source.slice(start, start + 200));
  if (comment !== null) {
    const close = source.indexOf("*/", start + comment[0].length);
    const end = close === -1 ? -1 : source.indexOf("}}", close);
    if (end !== -1) return end + 2;
    throw failure(source, start, "a Helm comment without its end", '"*/}}"');
  }
  for (let at = start + 2; at < source.length; at += 1) {
    const char = source[at]!;
    if (source.startsWith("}}", at)) return at + 2;
    if (char === '"' || char === "'" || char === "`") {
      at = quotedEnd(source, at, char);
      if (at === -1) break;
    }
  }
  throw failure(source, start, "a Helm action without its end", '"}}"');
}

function quotedEnd(source: string, start: number, quote: string): number {
  for (let at = start + 1; at < source.length; at += 1) {
    if (source[at] === "\\" && quote !== "`") at += 1;
    else if (source[at] === quote) return at;
  }
  return -1;
}

function variableEnd(source: string, start: number): number {
  let depth = 0;
  for (let at = start + 1; at < source.length && source[at] !== "\n"; at += 1) {
    if (source[at] === "{") depth += 1;
    if (source[at] === "}") depth -= 1;
    if (depth === 0) return at + 1;
  }
  throw failure(source, start, "a variable without its end", '"}" on the same line');
}

function numberEnd(source: string, start: number): number {
  const number = /^-?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d*)?)/.exec(
    source.slice(start, start + 64),
  );
  return start + (number === null ? 1 : number[0].length);
}

function identifierEnd(source: string, start: number): number {
  let at = start;
  while (at < source.length) {
    const char = String.fromCodePoint(source.codePointAt(at)!);
    if (!isLetter(char) && !/^[\p{Nd}.-]$/u.test(char)) break;
    at += char.length;
  }
  return at;
}

function isDecimal(char: string | undefined): boolean {
  return char !== undefined && char >= "0" && char <= "9";
}

function isLetter(char: string): boolean {
  return /^[\p{L}_]$/u.test(char);
}

/** The error for `found` at `offset`, in the three parts that every error of the project has. */
export function failure(source: string, offset: number, found: string, expected: string): ServerConfigError {
  return new ServerConfigError(
    `OpenBao's server config, line ${lineAt(source, offset)}: found ${found}, expected ${expected}; ` +
      "correct the server config in the HelmRelease",
  );
}
