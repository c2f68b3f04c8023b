// Started by interrupt.test.ts as a process of its own: a rehearsal in the middle of a stage. Its pulumi is on PATH.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { endOnSignal, whatIsLeft } from "../../rehearsal/interrupt";
import { PulumiStack } from "../../rehearsal/pulumiStack";

const [runDir = "", graceMs = ""] = process.argv.slice(2);
const note = (name: string): void => writeFileSync(join(runDir, name), "");

endOnSignal({
  log: (line) => console.log(line),
  left: whatIsLeft(undefined),
  stopStandIns: () => Promise.resolve(note("stopped")),
  graceMs: Number(graceMs),
});
const stack = new PulumiStack({ runDir, kubeconfig: "", config: {}, log: () => undefined });
void stack.up().then(() => note("went on"));
