/** The value of an environment variable that the rehearsal cluster sets. @throws if it is not set. */
export function requiredEnv(name: string): string {
  const value = process.env[name];
  if (!value)
    throw new Error(`environment variable ${name} is not set; the rehearsal cluster sets it (see README.md)`);
  return value;
}
