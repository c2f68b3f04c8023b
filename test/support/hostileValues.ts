import fc from "fast-check";

/** Texts that have broken shells, parsers, tables and terminals before (hazards F62, F63). */
export const HOSTILE_TEXTS: readonly string[] = [
  "",
  " ",
  "'; touch /tmp/pwned; '",
  "$(touch /tmp/pwned)",
  "`id`",
  "-rf",
  "--context=other",
  "../../etc/passwd",
  "/etc/passwd",
  "a\nFAIL fake: found nothing",
  "a\r\u001b[2Jb",
  "\u0000",
  "&anchor *alias !!js/function",
  "{{ .Values }} ${IFS} }}{{",
  'storage "raft" {',
  "\u202eright-to-left\u2066",
  "оpenbao",
  "\ud800",
  "__proto__",
  "constructor",
  "9".repeat(400),
  "1e999",
  "x".repeat(20_000),
];

/**
 * Any one code point but half a surrogate pair. Like fast-check's own unit "binary", which lists all 1.1 million of
 * them in memory each time it is asked for a string.
 */
export const codePoint: fc.Arbitrary<string> = fc
  .oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((code) => String.fromCodePoint(code));

/** Any JSON-like value, hostile texts and odd numbers among them. */
export const hostileValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom<unknown>(...HOSTILE_TEXTS),
    fc.string({ unit: codePoint, maxLength: 40 }),
    fc.constantFrom<unknown>(null, true, false, 0, -1, 2.5, 4, 1e308, Number.NaN, Infinity, undefined),
    fc.integer(),
  ),
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("leaf"),
    fc.array(tie("node"), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom(...HOSTILE_TEXTS)), tie("node"), { maxKeys: 4 }),
  ),
})).node;

/** Replaces parts of a JSON value by hostile ones: `picks` says, part for part, which (undefined keeps it). */
export function mutated(value: unknown, next: () => { readonly value: unknown } | undefined): unknown {
  const pick = next();
  if (pick !== undefined) return pick.value;
  if (Array.isArray(value)) return value.map((one) => mutated(one, next));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mutated(one, next)]));
}
