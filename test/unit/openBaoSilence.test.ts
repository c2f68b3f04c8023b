import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import {
  isBusy,
  openBaoAt,
  openBaoOver,
  OpenBaoUnreachable,
  type StreamingOpenBao,
} from "../../components/cluster/openBaoClient";
import { streamAgent } from "../../components/cluster/podSocket";

async function failureAt(port: number): Promise<OpenBaoUnreachable> {
  const bao = openBaoAt(`http://127.0.0.1:${port}`);
  try {
    await bao.request("GET", "/v1/sys/seal-status", { timeoutMs: 100 });
  } catch (error) {
    assert.ok(error instanceof OpenBaoUnreachable);
    return error;
  } finally {
    bao.close();
  }
  throw new Error("the call succeeded");
}

describe("a node that gives no answer (hazard I3)", () => {
  it("is busy when it takes the connection and says nothing, and not when nothing listens", async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => sockets.add(socket)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    assert.equal(isBusy(await failureAt(port)), true);
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
    assert.equal(isBusy(await failureAt(port)), false);
  });

  const calls: Record<string, (bao: StreamingOpenBao) => Promise<unknown>> = {
    "a request": (bao) => bao.request("GET", "/v1/sys/seal-status", { timeoutMs: 100 }),
    "a transfer": (bao) => bao.stream("GET", "/v1/sys/storage/raft/snapshot", { token: "t", timeoutMs: 100 }),
  };
  for (const [title, call] of Object.entries(calls))
    it(`is busy when its port-forward never opens: ${title} ends at its bound`, async () => {
      const agent = streamAgent("openbao-0:8200", () => new Promise(() => undefined));
      const error: unknown = await call(openBaoOver(agent, "openbao-0")).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof OpenBaoUnreachable && isBusy(error), String(error));
    }).timeout(5_000);
});
