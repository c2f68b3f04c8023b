import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { V1Pod } from "@kubernetes/client-node";
import { ApiError, ApiServer } from "../../rehearsal/standins/networkPolicy/apiServer";
import { FollowedList } from "../../rehearsal/standins/networkPolicy/followedList";

type Handler = (query: URLSearchParams, response: ServerResponse, request: IncomingMessage) => void;

describe("node stand-ins: a followed collection", () => {
  let folder: string;
  let server: Server;
  let handle: Handler;
  let api: ApiServer;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "api-server-"));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const names = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"];
    execFileSync("openssl", ["req", "-x509", ...curve, "-keyout", key, "-out", cert, ...names], {
      stdio: "ignore",
    });
    server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) =>
      handle(new URL(request.url ?? "/", "https://x").searchParams, response, request),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const kubeconfig = {
      "current-context": "here",
      contexts: [{ name: "here", context: { cluster: "c", user: "u" } }],
      clusters: [
        { name: "c", cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority": "cert.pem" } },
      ],
      users: [{ name: "u", user: { token: "a-token" } }],
    };
    writeFileSync(join(folder, "kubeconfig"), JSON.stringify(kubeconfig));
    api = new ApiServer(join(folder, "kubeconfig"));
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  const pod = (name: string, version = "1"): V1Pod => ({
    metadata: { name, namespace: "n", resourceVersion: version },
  });
  const list = (...items: V1Pod[]): string => JSON.stringify({ metadata: { resourceVersion: "5" }, items });
  const event = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;

  /** Runs a list against answers, the first for a list and so on, until its names are as expected. */
  async function follow(answers: Handler[], expected: string[]): Promise<URLSearchParams[]> {
    const queries: URLSearchParams[] = [];
    handle = (query, response, request) => {
      queries.push(query);
      const answer = answers.shift();
      if (answer) answer(query, response, request);
    };
    const followed = new FollowedList<V1Pod>(api, "/api/v1/pods", 5);
    await new Promise<void>((resolve) => {
      const running = followed.run(() => {
        const names = followed.items().map(({ metadata }) => metadata?.name);
        if (answers.length > 0 || JSON.stringify(names) !== JSON.stringify(expected)) return;
        followed.stop();
        void running.then(resolve);
      });
    });
    return queries;
  }

  it("applies what is added and deleted, and goes on from the last version when a watch ends cleanly", async () => {
    const queries = await follow(
      [
        (_query, response) => response.end(list(pod("a"))),
        (_query, response) =>
          response.end(
            event("ADDED", pod("b", "6")) + event("DELETED", pod("a", "7")) + event("BOOKMARK", pod("", "9")),
          ),
        (_query, response) => response.write(event("ADDED", pod("c", "10"))),
      ],
      ["b", "c"],
    );
    assert.deepEqual(
      queries.map((query) => query.get("resourceVersion")),
      [null, "5", "9"],
    );
  });

  it("lists again after a connection that breaks in mid-watch, and so misses no deletion", async () => {
    await follow(
      [
        (_query, response) => response.end(list(pod("a"), pod("b"))),
        (_query, response) => response.write(event("ADDED", pod("c")), () => response.destroy()),
        (_query, response) => response.end(list(pod("b"))),
      ],
      ["b"],
    );
  });

  it("lists again when the server says that the version is too old", async () => {
    await follow(
      [
        (_query, response) => response.end(list(pod("a"))),
        (_query, response) => response.end(event("ERROR", { kind: "Status", code: 410, message: "too old" })),
        (_query, response) => response.end(list(pod("d"))),
      ],
      ["d"],
    );
  });

  it("lists again after a refused list", async () => {
    await follow(
      [
        (_query, response) => response.writeHead(503).end("starting"),
        (_query, response) => response.end(list(pod("a"))),
      ],
      ["a"],
    );
  });

  it("authenticates with the kubeconfig's token, and gives the status of a refusal", async () => {
    const seen: (string | undefined)[] = [];
    handle = (_query, response, request) => {
      seen.push(request.headers.authorization);
      response.writeHead(409).end('{"reason":"AlreadyExists"}');
    };
    const refused = api.send({ method: "POST", path: "/api/v1/persistentvolumes", body: {} });
    await assert.rejects(refused, (error) => error instanceof ApiError && error.status === 409);
    assert.deepEqual(seen, ["Bearer a-token"]);
  });

  it("sends the body of a DELETE, and leaves the connection fit for the next request", async () => {
    const seen: [method: string | undefined, body: string][] = [];
    handle = (_query, response, request) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        seen.push([request.method, body]);
        response.end("{}");
      });
    };
    const body = { preconditions: { uid: "u" } };
    await api.send({ method: "DELETE", path: "/api/v1/persistentvolumes/v", body });
    await api.send({ path: "/api/v1/persistentvolumes" });
    assert.deepEqual(seen, [
      ["DELETE", '{"preconditions":{"uid":"u"}}'],
      ["GET", ""],
    ]);
  });

  it("gives up on a server that says nothing for too long", async () => {
    handle = () => undefined;
    await assert.rejects(api.send({ path: "/api/v1/pods", timeoutMs: 50 }), /nothing heard/);
  });
});
