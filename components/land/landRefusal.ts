/** The checkout is not in a shape that can be landed in; says what was found, expected, and what to do. */
export class LandRefusal extends Error {
  override readonly name = "LandRefusal";
}

/** @param where file and line, or the checkout. */
export function refusal(where: string, found: string, expected: string, fix: string): LandRefusal {
  return new LandRefusal(`${where}: found ${found}, expected ${expected}; ${fix}`);
}
