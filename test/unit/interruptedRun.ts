// Started by interrupt.test.ts as a process of its own: a rehearsal in the middle of a stage, with a stand-in for pulumi.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { endOnSignal, whatIsLeft } from "../../rehearsal/interrupt";
import { trackRun } from "../../rehearsal/pulumiRuns";

const [script = "", stopped = "", graceMs = ""] = process.argv.slice(2);

endOnSignal({
  log: (line) => console.log(line),
  left: whatIsLeft(undefined),
  stopStandIns: () => Promise.resolve(writeFileSync(stopped, "")),
  graceMs: Number(graceMs),
});
trackRun(spawn("/bin/sh", ["-c", script], { detached: true, stdio: "ignore" }));
