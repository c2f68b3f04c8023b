import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as tlsServer } from "node:https";
import { connect, type AddressInfo } from "node:net";
import { kubeClient } from "../../components/cluster/kubeClient";
import { KubeTransport } from "../../components/cluster/kubeTransport";
import { KubeConfig } from "../../components/cluster/kubernetesLibrary";
import { TestCertificates } from "../support/testCertificates";

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

function configOf(server: Server, prefix = ""): KubeConfig {
  const config = new KubeConfig();
  const { port } = server.address() as AddressInfo;
  config.loadFromOptions({
    clusters: [{ name: "c", server: `http://127.0.0.1:${port}${prefix}`, skipTLSVerify: true }],
    users: [{ name: "u" }],
    contexts: [{ name: "x", cluster: "c", user: "u" }],
    currentContext: "x",
  });
  return config;
}

function transportTo(server: Server): KubeTransport {
  return new KubeTransport(configOf(server));
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

describe("a kubeconfig whose server has a path: a proxy of clusters", () => {
  for (const prefix of ["/k8s/clusters/c-x", "/k8s/clusters/c-x/", ""]) {
    it(`keeps it in front of each call: "${prefix}" (F59)`, async () => {
      const asked: string[] = [];
      const server = createServer((request, response) => {
        asked.push(request.url ?? "");
        response.end("{}");
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const transport = new KubeTransport(configOf(server, prefix));
      try {
        await transport.send({ method: "GET", path: "/api/v1/nodes", query: { limit: "1" } });
        assert.deepEqual(asked, [`${prefix.replace(/\/$/, "")}/api/v1/nodes?limit=1`]);
      } finally {
        transport.close();
        server.close();
      }
    });
  }
});

describe("a wait on the API server", () => {
  /** Answers each list with the next status; the last one stays. */
  async function waitOn(statuses: number[], timeoutSeconds: number): Promise<unknown> {
    const server = createServer((request, response) => {
      request.resume();
      const status = statuses.length > 1 ? statuses.shift()! : statuses[0]!;
      response.writeHead(status).end(JSON.stringify({ items: [{ metadata: { name: "a" } }] }));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const kube = kubeClient(configOf(server));
      const options = { what: "a to be there", timeoutSeconds };
      return await kube.waitFor("/api/v1/pods", "a", (seen) => seen !== undefined, options);
    } finally {
      server.close();
    }
  }

  it("outlives a control plane that is away for longer than a read is tried", async () => {
    assert.deepEqual(await waitOn([503, 503, 503, 503, 503, 200], 20), { metadata: { name: "a" } });
  });

  it("has its bound all the same, and tells what it saw", async () => {
    await assert.rejects(waitOn([503], 1), { reason: "Timeout", message: /last seen: .*HTTP 503/ });
  });

  it("ends at once on a missing right", async () => {
    await assert.rejects(waitOn([403], 20), { status: 403 });
  });
});

describe("a list of the API server", () => {
  async function listed(answer: object): Promise<unknown[]> {
    const server = await serverOf([Buffer.from(JSON.stringify(answer))]);
    try {
      return await kubeClient(configOf(server)).list("/api/v1/namespaces/x/configmaps");
    } finally {
      server.close();
    }
  }

  it("is an error when a proxy answers 200 with something else: no hazard is found in nothing", async () => {
    for (const answer of [{}, { kind: "Status" }, { items: null }, { items: {} }]) {
      await assert.rejects(
        listed(answer),
        /^KubeError: GET \/api\/v1\/namespaces\/x\/configmaps: the answer holds no "items", expected a list; is a proxy/,
      );
    }
  });

  it("is empty when Go writes it as null", async () => {
    assert.deepEqual(await listed({ kind: "ConfigMapList", items: null }), []);
    assert.deepEqual(await listed({ kind: "ConfigMapList", items: [] }), []);
  });
});

describe("a client that is closed", () => {
  it("ends the request that hangs, asks no more, and keeps no process (F11)", async () => {
    let asked = 0;
    const server = createServer(() => asked++);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = kubeClient(configOf(server));
    const answer = client.get("/version");
    await once(server, "request");
    client.close();
    await assert.rejects(answer, /the client is closed/);
    assert.equal(asked, 1);
    server.close();
    await once(server, "close");
  });
});

describe("a kubeconfig with a proxy-url (F11)", () => {
  const through = (server: Server, proxyUrl: string): KubeConfig => {
    const config = configOf(server);
    return Object.assign(config, { clusters: config.clusters.map((one) => ({ ...one, proxyUrl })) });
  };
  const portOf = (server: Server) => (server.address() as AddressInfo).port;

  /** A proxy that connects to wherever it is asked to, and remembers it. */
  async function proxyServer(asked: string[]): Promise<Server> {
    const proxy = createServer();
    proxy.on("connect", (request, socket) => {
      asked.push(request.url ?? "");
      const [host = "", port] = (request.url ?? "").split(":");
      const far = connect(Number(port), host, () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
      far.pipe(socket).pipe(far);
      for (const end of [far, socket]) end.on("error", () => undefined);
    });
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    return proxy;
  }

  it("is reached through that proxy, as kubectl does: nothing goes another way in silence", async () => {
    const asked: string[] = [];
    const proxy = await proxyServer(asked);
    const server = await serverOf([Buffer.from('{"kind":"List","items":[]}')]);
    try {
      const client = kubeClient(through(server, `http://127.0.0.1:${portOf(proxy)}`));
      assert.deepEqual(await client.list("/api/v1/pods"), []);
      assert.deepEqual(asked, [`127.0.0.1:${portOf(server)}`]);
      client.close();
    } finally {
      server.close();
      proxy.close();
    }
  });

  it("talks TLS through it, and trusts the kubeconfig's CA alone", async () => {
    const certificates = new TestCertificates();
    const asked: string[] = [];
    const proxy = await proxyServer(asked);
    const pair = certificates.signed("api", "IP:127.0.0.1");
    const server = tlsServer({ ...pair }, (_request, response) => response.end("{}"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const answer = (ca: string) => {
        const config = through(server, `http://127.0.0.1:${portOf(proxy)}`);
        const caData = Buffer.from(ca).toString("base64");
        const clusters = config.clusters.map(({ skipTLSVerify: _skip, ...one }) => ({
          ...{ ...one, server: `https://127.0.0.1:${portOf(server)}`, caData, skipTLSVerify: false },
        }));
        return new KubeTransport(Object.assign(config, { clusters })).send({
          method: "GET",
          path: "/version",
        });
      };
      assert.equal(await answer(certificates.ca), "{}");
      await assert.rejects(answer(certificates.signed("other", "IP:127.0.0.1").cert), { status: 0 });
      assert.equal(asked.length, 2);
    } finally {
      server.closeAllConnections();
      server.close();
      proxy.close();
      certificates.remove();
    }
  });

  it("ends by its bound when the proxy hangs, and at once when the client is closed", async () => {
    const proxy = createServer();
    proxy.on("connect", () => undefined);
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    const server = await serverOf([Buffer.from("{}")]);
    try {
      const transport = new KubeTransport(through(server, `http://127.0.0.1:${portOf(proxy)}`));
      const sent = (timeoutMs: number) => transport.send({ method: "GET", path: "/version", timeoutMs });
      await assert.rejects(sent(300), { status: 0 });
      const hanging = sent(30_000);
      await once(proxy, "connect");
      transport.close();
      await assert.rejects(hanging, /the client is closed/);
    } finally {
      server.close();
      proxy.closeAllConnections();
      proxy.close();
    }
  });

  it("has no way around a proxy that is away", async () => {
    const proxy = await proxyServer([]);
    const url = `http://127.0.0.1:${portOf(proxy)}`;
    proxy.close();
    await once(proxy, "close");
    const server = await serverOf([Buffer.from("{}")]);
    try {
      const sent = new KubeTransport(through(server, url)).send({ method: "GET", path: "/version" });
      await assert.rejects(sent, { name: "KubeError", status: 0 });
    } finally {
      server.close();
    }
  });

  it("is refused by name when its scheme is none that can be used, and its password is not shown", async () => {
    const server = await serverOf([]);
    try {
      assert.throws(
        () => kubeClient(through(server, "ftp://user:hidden@proxy")),
        (error: Error) =>
          /cluster "c" has a "proxy-url" of scheme "ftp"/.test(error.message) &&
          !/hidden/.test(error.message),
      );
    } finally {
      server.close();
    }
  });
});
