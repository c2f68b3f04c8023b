// Started by daemonPolicy.test.ts as a process of its own, so that it can be ended in the middle of an installation.
import { installPackages } from "../../../rehearsal/tools/debian";
import { releaseOnSignal } from "../../../rehearsal/tools/tools";

releaseOnSignal(() => undefined);
void installPackages(["etcd-server"], () => undefined);
