import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { PodSocket } from "../../components/cluster/podSocket";

describe("a port-forward that fails while nobody listens yet", () => {
  it("keeps its error for the one who opens it, and does not end the process (hazard F11)", async () => {
    const socket = new PodSocket();
    socket.failures.write("error forwarding port 8200: connection refused");
    await turn();
    assert.match(String(socket.errored?.message), /connection refused/);
  });
});
