import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeTransport } from "../../components/cluster/kubeTransport";
import { KubeConfig } from "../../components/cluster/kubernetesLibrary";

/** A server that sends `pieces` one by one, each in a chunk of its own. */
async function serverOf(pieces: readonly Buffer[]): Promise<Server> {
  const server = createServer((request, response) => {
    const send = (at: number): void => {
      const piece = pieces[at];
      if (piece === undefined) response.end();
      else response.write(piece, () => setTimeout(send, 20, at + 1));
    };
    request.resume();
    send(0);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function transportTo(server: Server): KubeTransport {
  const config = new KubeConfig();
  const { port } = server.address() as AddressInfo;
  config.loadFromOptions({
    clusters: [{ name: "c", server: `http://127.0.0.1:${port}`, skipTLSVerify: true }],
    users: [{ name: "u" }],
    contexts: [{ name: "x", cluster: "c", user: "u" }],
    currentContext: "x",
  });
  return new KubeTransport(config);
}

describe("a streamed reply of the API server", () => {
  it("keeps a character whose bytes arrive in two pieces", async () => {
    const line = Buffer.from('{"note":"Schlüssel 🔑"}\n');
    const cuts = [line.indexOf(0xc3) + 1, line.indexOf(0xf0) + 2];
    const server = await serverOf([
      line.subarray(0, cuts[0]),
      line.subarray(cuts[0], cuts[1]),
      line.subarray(cuts[1]),
    ]);
    try {
      const lines: string[] = [];
      await transportTo(server).lines({ method: "GET", path: "/watch" }, (seen) => lines.push(seen) > 0);
      assert.deepEqual(lines, ['{"note":"Schlüssel 🔑"}']);
    } finally {
      server.close();
    }
  });

  it("hands over each line once, however the pieces are cut, and stops when it is told to", async () => {
    const server = await serverOf([Buffer.from("a\nb"), Buffer.from("c\n\nd\n"), Buffer.from("e\n")]);
    try {
      const lines: string[] = [];
      await transportTo(server).lines({ method: "GET", path: "/watch" }, (line) => {
        lines.push(line);
        return line !== "d";
      });
      assert.deepEqual(lines, ["a", "bc", "d"]);
    } finally {
      server.close();
    }
  });
});
