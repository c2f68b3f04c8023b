/** A literal block scalar: its header (with the space before it), then its lines. */
export function blockScalar(text: string, indent: number): string[] {
  const body = text.replace(/\n+$/, "");
  const trailing = text.length - body.length;
  const chomp = trailing === 0 ? "-" : trailing === 1 ? "" : "+";
  const lines = body.split("\n");
  // A first line that begins with a space, or is empty, hides the indentation from a reader.
  const explicit = /^(?: |$)/.test(lines[0]!) ? String(indentStep(indent)) : "";
  const blank = Array.from({ length: Math.max(0, trailing - 1) }, () => "");
  const written = lines.map((line) => (line === "" ? "" : `${" ".repeat(indent)}${line}`));
  return [` |${explicit}${chomp}`, ...written, ...blank];
}

/** The indicator counts from the parent key, which stands two columns to the left. */
function indentStep(indent: number): number {
  return Math.min(indent, 2);
}
