// Started by ensureTools.test.ts as a process of its own, so that it can be ended in the middle of a build.
import { ensureTools } from "../../../rehearsal/tools/tools";

void ensureTools((line) => console.log(line), ["coredns"]);
