// Stand-in of the @pulumi/command plugin, used only where the real one is absent: see README.md beside this file.
// Started by the engine with its address as the last argument; answers with the port it listens on.
import * as grpc from "@grpc/grpc-js";
import { readFileSync } from "node:fs";
import { Engine } from "./engine";
import { refuseCommands, runningCommands, signalCommands } from "./runCommand";
import { makeServer } from "./server";

// The engine kills a plugin that does not end within 5 s; the commands have to be gone before.
const GRACE_MS = 4_000;
let exiting = false;

/** Gives running commands a grace to end by themselves, then kills them. */
function afterCommands(then: () => void): void {
  refuseCommands();
  const deadline = Date.now() + GRACE_MS;
  const look = (): void => {
    if (runningCommands() > 0 && Date.now() < deadline) {
      setTimeout(look, 50);
      return;
    }
    signalCommands("SIGKILL");
    then();
  };
  look();
}

function exitAfterCommands(tellCommands: () => void): void {
  if (exiting) return;
  exiting = true;
  tellCommands();
  afterCommands(() => process.exit(0));
}

/** The engine makes each plugin the leader of a process group and signals the whole group. */
function leadsItsGroup(): boolean {
  try {
    const stat = readFileSync("/proc/self/stat", "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]) === process.pid;
  } catch {
    return false;
  }
}

/** Nobody else tells the commands when the engine is gone, nor what they started. */
function terminateGroup(): void {
  if (leadsItsGroup()) process.kill(-process.pid, "SIGTERM");
  else signalCommands("SIGTERM");
}

const address = process.argv.at(-1) ?? "";
if (!/:\d+$/.test(address)) {
  console.error(
    `Found "${address}" as the last argument; expected the engine's address. Only pulumi starts this file.`,
  );
  process.exit(1);
}
const engine = new Engine(address);
const server = makeServer(engine, () => {
  signalCommands("SIGINT");
  afterCommands(() => undefined);
});
// The commands of a group leader got the same signal already; a second one might mean "at once" to them.
process.on("SIGINT", () => exitAfterCommands(() => leadsItsGroup() || signalCommands("SIGINT")));
process.on("SIGTERM", () => exitAfterCommands(() => signalCommands("SIGTERM")));
engine.onGone(() => exitAfterCommands(terminateGroup));
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
