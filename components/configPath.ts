import { z } from "zod";

/** In Pulumi's path syntax, so that it can be given to `pulumi config set --path`. */
export function pathOf(path: readonly PropertyKey[]): string {
  const parts = path.map((part) => {
    if (typeof part === "number") return `[${part}]`;
    return /^[A-Za-z_][-\w]*$/.test(String(part)) ? `.${String(part)}` : `[${JSON.stringify(part)}]`;
  });
  return parts.join("").replace(/^\./, "");
}

/** The keys of the object that the path leads to from `schema`, through lists and defaults. */
export function knownKeys(schema: z.ZodObject, path: readonly PropertyKey[]): string[] {
  const at = path.reduce<unknown>((outer, part) => {
    const one = plainSchema(outer);
    if (one instanceof z.ZodArray) return one.element;
    return one instanceof z.ZodObject ? one.shape[String(part)] : undefined;
  }, schema);
  const found = plainSchema(at);
  return found instanceof z.ZodObject ? Object.keys(found.shape).sort() : [];
}

function plainSchema(schema: unknown): unknown {
  const wrapped =
    schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault;
  return wrapped ? plainSchema(schema.unwrap()) : schema;
}
