import assert from "node:assert/strict";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { startFaultProxy, type FaultProxy } from "../../rehearsal/faultProxy";

const POD = "/api/v1/namespaces/openbao/pods";

describe("the fault proxy before the API server (fault matrix rows 11 to 15)", () => {
  let upstream: http.Server;
  let proxy: FaultProxy;
  let reached: string[];

  beforeEach(async () => {
    reached = [];
    upstream = http.createServer((request, response) => {
      reached.push(`${request.method} ${request.url}`);
      request.resume();
      if (request.url?.includes("watch=1") !== true) return void response.end('{"kind":"Pod"}');
      response.write('{"type":"ADDED"}\n');
    });
    upstream.on("upgrade", (_request, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n");
      socket.on("data", (chunk: Buffer) => socket.write(chunk)).on("error", () => undefined);
    });
    await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
    const { port } = upstream.address() as AddressInfo;
    proxy = await startFaultProxy({ upstream: `http://127.0.0.1:${port}` });
  });
  afterEach(async () => {
    await proxy.stop();
    upstream.closeAllConnections();
    upstream.close();
  });

  function call(method: string, path: string): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const request = http.request(`${proxy.url}${path}`, { method, agent: false }, (reply) => {
        let body = "";
        reply.on("data", (chunk: Buffer) => (body += chunk.toString()));
        reply.on("end", () => resolve({ status: reply.statusCode ?? 0, body })).on("error", reject);
      });
      request.on("error", reject).end();
    });
  }
  const post = () => call("POST", POD);

  it("hands everything through while nothing is armed", async () => {
    assert.deepEqual(await post(), { status: 200, body: '{"kind":"Pod"}' });
    assert.deepEqual(proxy.hit(), []);
  });

  it("answers the numbered mutating request with a status of the API server, and lets it have no effect", async () => {
    proxy.arm({ what: "429", at: 2 });
    await call("GET", POD);
    await post();
    const { status, body } = await post();
    assert.equal(status, 429);
    assert.equal((JSON.parse(body) as { reason: string }).reason, "TooManyRequests");
    assert.equal((await post()).status, 200);
    assert.equal(reached.filter((one) => one.startsWith("POST")).length, 2);
    assert.deepEqual(proxy.hit(), [`POST ${POD}`]);
  });

  it("refuses several in a row, and then recovers", async () => {
    proxy.arm({ what: "refuse", at: 1, times: 2 });
    await assert.rejects(post());
    await assert.rejects(post());
    assert.equal((await post()).status, 200);
    assert.equal(reached.length, 1);
  });

  it("lets the effect happen and loses the reply", async () => {
    proxy.arm({ what: "lost", at: 1 });
    await assert.rejects(post());
    assert.deepEqual(reached, [`POST ${POD}`]);
  });

  it("cuts a watch after its first bytes, and an upgraded connection (port-forward) too", async () => {
    proxy.arm({ what: "cut", at: 1 });
    await assert.rejects(call("GET", `${POD}?watch=1`));
    proxy.arm({ what: "cut", at: 1 });
    const socket = await upgraded();
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.resume().write("hello");
    await closed;
    assert.deepEqual(proxy.hit(), [`GET ${POD}`]);
  });

  it("hands an upgraded connection through both ways while nothing is armed", async () => {
    const socket = await upgraded();
    socket.write("hello");
    const echo = await new Promise<string>((resolve) =>
      socket.once("data", (chunk: Buffer) => resolve(chunk.toString())),
    );
    assert.equal(echo, "hello");
    socket.destroy();
  });

  it("does not break the Lease's renewals, which come by the clock", async () => {
    proxy.arm({ what: "500", at: 1 });
    const lease = await call("PUT", "/apis/coordination.k8s.io/v1/namespaces/openbao/leases/x");
    assert.equal(lease.status, 200);
  });

  function upgraded(): Promise<import("node:stream").Duplex> {
    return new Promise((resolve, reject) => {
      const headers = { connection: "upgrade", upgrade: "x" };
      const request = http.request(`${proxy.url}${POD}`, { headers, agent: false });
      request.on("upgrade", (_reply, socket) => {
        socket.on("error", () => undefined);
        resolve(socket);
      });
      request.on("error", reject).end();
    });
  }
});
