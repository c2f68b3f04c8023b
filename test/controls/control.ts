/** A known bug, our guard against it, and the test that has to turn red once the guard is gone. */
export interface Control {
  /** As the fault matrix names it (hazards.md, the line under section 2). */
  readonly bug: string;
  readonly says: string;
  /** File of the guard. */
  readonly guard: string;
  /** Its text, once in that file. */
  readonly find: string;
  /** What stands there when the guard is gone. */
  readonly by: string;
  readonly test: string;
  /** Title of a test that fails then. */
  readonly red: RegExp;
}
