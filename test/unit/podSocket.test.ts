import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { once } from "node:events";
import { PassThrough, type Duplex } from "node:stream";
import { OpenBaoUnreachable, openBaoOver } from "../../components/cluster/openBaoClient";
import { PodSocket, streamAgent } from "../../components/cluster/podSocket";

describe("a port-forward that fails while nobody listens yet", () => {
  it("keeps its error for the one who opens it, and does not end the process (hazard F11)", async () => {
    const socket = new PodSocket();
    socket.failures.write("error forwarding port 8200: connection refused");
    await turn();
    assert.match(String(socket.errored?.message), /connection refused/);
  });

  it("is closed once it is handed over", async () => {
    const socket = new PodSocket();
    socket.failures.write("error forwarding port 8200: connection refused");
    await turn();
    let closed = 0;
    socket.attach({ send: () => undefined, close: () => closed++, on: () => undefined });
    assert.equal(closed, 1);
  });
});

describe("a port-forward that the API server refuses", () => {
  it("names the rights that it needs: a number says nothing to who has to grant them (F59)", async () => {
    const refused = () => Promise.reject(new Error("Unexpected server response: 403"));
    const bao = openBaoOver(streamAgent("openbao-0:8200 in openbao", refused), "openbao-0");
    await assert.rejects(
      bao.request("GET", "/v1/sys/health"),
      /no connection to openbao-0:8200 in openbao \(HTTP 403: .*get and create on pods\/portforward/,
    );
  });
});

describe("a client that is closed", () => {
  it("ends a port-forward that opens only then: nothing keeps the process alive (hazard F11)", async () => {
    let open: (stream: Duplex) => void = () => undefined;
    const agent = streamAgent("openbao-0:8200", () => new Promise((resolve) => (open = resolve)));
    const bao = openBaoOver(agent, "openbao-0");
    const asked = bao.request("GET", "/v1/sys/health");
    await turn();
    bao.close();
    const late = new PassThrough();
    open(late);
    await Promise.all([once(late, "close"), assert.rejects(asked, /the client is closed/)]);
  });

  it("refuses, and not as a node that is away: a wait beside the one that failed ends at once", async () => {
    const bao = openBaoOver(
      streamAgent("openbao-0:8200", () => new Promise(() => undefined)),
      "openbao-0",
    );
    bao.close();
    const failure: unknown = await bao.request("GET", "/v1/sys/health").catch((error: unknown) => error);
    assert.match(String(failure), /openbao-0: the client is closed/);
    assert.ok(!(failure instanceof OpenBaoUnreachable));
  });
});
