// Started by daemonPolicy.test.ts as a process of its own, so that it can be ended in the middle of an installation.
import { installPackages } from "../../../rehearsal/tools/debian";
import { releaseOnSignal } from "../../../rehearsal/tools/releaseOnSignal";

releaseOnSignal(() => undefined, Number(process.argv[2] ?? 180_000));
void installPackages(["etcd-server"], () => undefined);
