import { LandRefusal } from "./landRefusal";

/** Text after substitution, and the variables that had neither a value nor a default (Flux puts nothing). */
export interface Substituted {
  readonly text: string;
  readonly missing: readonly string[];
}

/**
 * Flux's post-build substitution (fluxcd/pkg/envsubst), the part that manifests use: `${name}`,
 * `${name:=default}`, `${name:-default}`, `${name=default}`, defaults nested, and `$$` for a plain `$`. A
 * default also replaces an empty value. Text functions (`${name/a/b}`, `${name^^}` and the like) are refused.
 * @throws LandRefusal on those, and on what Flux refuses, too.
 */
export function fluxSubstitute(source: string, variables: Readonly<Record<string, string>>): Substituted {
  const missing = new Set<string>();
  let text = "";
  let at = 0;
  while (at < source.length) {
    if (source.startsWith("$$", at)) {
      text += "$";
      at += 2;
    } else if (source.startsWith("${", at)) {
      const { value, end } = expression(source, at, variables, missing);
      text += value;
      at = end;
    } else {
      text += source[at];
      at += 1;
    }
  }
  return { text, missing: [...missing] };
}

/** Name of a variable that Flux accepts. */
export function isVariableName(name: string): boolean {
  return /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name);
}

const MAX_NESTED = 20;

function expression(
  source: string,
  start: number,
  variables: Readonly<Record<string, string>>,
  missing: Set<string>,
  depth = 0,
): { value: string; end: number } {
  const name = /^[\p{L}\p{Nd}_]+/u.exec(source.slice(start + 2, start + 300))?.[0];
  if (name === undefined || depth > MAX_NESTED) throw unreadable(source, start);
  // Flux takes line breaks out of every value.
  const known = Object.hasOwn(variables, name) ? variables[name]!.replaceAll("\n", "") : "";
  let at = start + 2 + name.length;
  if (source[at] === "}") {
    if (!Object.hasOwn(variables, name)) missing.add(name);
    return { value: known, end: at + 1 };
  }
  const operator = [":=", ":-", "="].find((each) => source.startsWith(each, at));
  if (operator === undefined) throw unreadable(source, start);
  at += operator.length;
  const unused = known === "" ? missing : new Set<string>();
  let fallback = "";
  while (source[at] !== "}") {
    if (at >= source.length) throw unreadable(source, start);
    if (source.startsWith("${", at)) {
      const nested = expression(source, at, variables, unused, depth + 1);
      fallback += nested.value;
      at = nested.end;
    } else {
      fallback += source[at];
      at += 1;
    }
  }
  return { value: known === "" ? fallback : known, end: at + 1 };
}

function unreadable(source: string, start: number): LandRefusal {
  const line = source.slice(0, start).split("\n").length;
  return new LandRefusal(
    `variable in line ${line}: found a form other than \${name} or \${name:=default}, which this program ` +
      "cannot render; write it in one of these forms",
  );
}
