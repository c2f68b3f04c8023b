/**
 * How many cases a property is tried on: all of them in `npm test`, a tenth in `npm run check`, which has a minute.
 * @param full the number that `npm test` tries
 */
export function propertyRuns(full: number): { numRuns: number } {
  return { numRuns: process.env["PROPERTY_RUNS"] === "tenth" ? Math.ceil(full / 10) : full };
}
