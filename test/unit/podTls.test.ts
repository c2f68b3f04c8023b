import assert from "node:assert/strict";
import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import { connect, type AddressInfo, type Server } from "node:net";
import { openBaoOver, OpenBaoUnreachable } from "../../components/cluster/openBaoClient";
import { secured, streamAgent } from "../../components/cluster/podSocket";
import { podTrust } from "../../components/cluster/podTrust";
import { tlsSchema } from "../../components/platformConfig";
import { FakeKube } from "../support/fakeKube";
import { TestCertificates, type TestPair } from "../support/testCertificates";

const POD = "openbao-1";
const NAME = "openbao-1.openbao-internal";
const SECRET = "/api/v1/namespaces/openbao/secrets/bao-ca";
const tls = tlsSchema.parse({ caSecret: "bao-ca" });

describe("OpenBao behind a TLS listener (hazard F61)", () => {
  let pki: TestCertificates;
  let other: TestCertificates;
  const open: Server[] = [];
  before(() => {
    pki = new TestCertificates();
    other = new TestCertificates();
  });
  afterEach(() => {
    for (const server of open.splice(0)) {
      (server as http.Server).closeAllConnections();
      server.close();
    }
  });
  after(() => {
    pki.remove();
    other.remove();
  });

  async function listen(server: http.Server | https.Server): Promise<number> {
    open.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }

  const answer: http.RequestListener = (_request, response) => response.end('{"sealed":false}');
  const withTls = (pair: TestPair) => listen(https.createServer({ ...pair }, answer));

  /** Asks as the program does, with a plain socket in place of the port-forward. */
  async function ask(port: number, serverTls = tls, ca = pki.ca): Promise<unknown> {
    const kube = new FakeKube().put(SECRET, { data: { "ca.crt": Buffer.from(ca).toString("base64") } });
    const trust = podTrust(kube, { namespace: "openbao", release: "openbao", tls: serverTls }, POD)!;
    const agent = streamAgent(POD, async () => {
      const known = await trust();
      return secured(connect(port, "127.0.0.1"), known);
    });
    const bao = openBaoOver(agent, POD);
    try {
      return (await bao.request("GET", "/v1/sys/seal-status", { timeoutMs: 5000 })).body;
    } finally {
      bao.close();
    }
  }

  async function refused(port: number, why: RegExp, ...more: [typeof tls?, string?]): Promise<void> {
    await assert.rejects(ask(port, ...more), (error: unknown) => {
      assert.ok(error instanceof OpenBaoUnreachable, String(error));
      assert.match(error.message, why);
      return true;
    });
  }

  it("answers when the CA of the Secret signed a certificate with the pod's own name", async () => {
    assert.deepEqual(await ask(await withTls(pki.signed("pod", `DNS:${NAME}`))), { sealed: false });
  });

  it("answers by the configured name where the certificate has none of the pod", async () => {
    const port = await withTls(pki.signed("service", "DNS:bao.example"));
    await refused(port, /TLS as "openbao-1\.openbao-internal": .*altnames.*\[F61\]/);
    assert.deepEqual(await ask(port, { ...tls, serverName: "bao.example" }), { sealed: false });
  });

  it("gives no answer from a server that another CA signed", async () => {
    await refused(await withTls(other.signed("stranger", `DNS:${NAME}`)), /unable to verify|self.signed/);
  });

  it("gives no answer from a server whose certificate has ended", async () => {
    await refused(await withTls(pki.signed("ended", `DNS:${NAME}`, -1)), /expired/);
  });

  it("checks the certificate though the environment says not to", async () => {
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      await refused(await withTls(other.signed("stranger", `DNS:${NAME}`)), /unable to verify|self.signed/);
    } finally {
      delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    }
  });

  it("never falls back to http when the server has no TLS", async () => {
    let asked = 0;
    const port = await listen(
      http.createServer((request, response) => {
        asked++;
        answer(request, response as never);
      }),
    );
    await refused(port, /TLS as "openbao-1\.openbao-internal"/);
    assert.equal(asked, 0);
  });

  it("names the Secret when it holds no certificate", async () => {
    await refused(1, /key "ca\.crt" of Secret openbao\/bao-ca holds no certificate/, tls, "no PEM");
  });

  it("reads the CA again after a failure, and once for all connections otherwise", async () => {
    const kube = new FakeKube();
    const trust = podTrust(kube, { namespace: "openbao", release: "openbao", tls }, POD)!;
    await assert.rejects(trust(), { status: 404 });
    kube.put(SECRET, { data: { "ca.crt": Buffer.from(pki.ca).toString("base64") } });
    assert.deepEqual(await trust(), { ca: pki.ca, servername: NAME });
    await trust();
    assert.equal(kube.reads.filter((path) => path === SECRET).length, 2);
  });

  it("speaks no TLS where the config does not ask for it", () => {
    const server = { namespace: "openbao", release: "openbao" };
    assert.equal(podTrust(new FakeKube(), server, POD), undefined);
  });
});
