import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { helmReleaseEdit } from "../../components/land/helmReleaseEdit";
import { clientPod } from "../../rehearsal/load/clientObjects";
import { parseOptions } from "../../rehearsal/options";
import {
  HELM_RELEASE_FILE,
  helmValuesText,
  PLATFORM_TREE,
  releaseText,
} from "../../rehearsal/source/platformFiles";
import { TLS_CA_FILE, TLS_CONFIG, tlsSecret } from "../../rehearsal/source/sourceTls";
import { tlsClaims } from "../../rehearsal/tlsClaims";

const TEXT = readFileSync(join(PLATFORM_TREE, HELM_RELEASE_FILE), "utf8");
const NODES = ["openbao-0", "openbao-1", "openbao-2"].map((pod) => ({ pod, secured: 429, plain: 400 }));

interface Server {
  volumes: { name: string }[];
  volumeMounts: { name: string }[];
  extraEnvironmentVars: Record<string, string>;
  standalone: { config: string };
  ha: { raft: { config: string } };
}

/** The Raft config that stage land writes for the source with TLS. */
function raft(): string {
  const text = helmReleaseEdit(releaseText(TEXT, { tls: true }), {
    ...{ file: HELM_RELEASE_FILE, release: "openbao", namespace: "openbao", replicas: 3 },
    leaderCaCertFile: TLS_CA_FILE,
  });
  return (parse(text) as { spec: { values: { server: Server } } }).spec.values.server.ha.raft.config;
}

describe("the rehearsal's source with TLS (hazard F61)", () => {
  it("has TLS on its listener, in probes and in the hook, and mounts the Secret; comments stay", () => {
    const text = releaseText(TEXT, { tls: true });
    const { global, server } = (
      parse(text) as { spec: { values: { global: { tlsDisable: boolean }; server: Server } } }
    ).spec.values;
    assert.equal(global.tlsDisable, false);
    assert.match(server.standalone.config, /tls_cert_file = .*\n\s+tls_key_file {2}= /);
    assert.doesNotMatch(server.standalone.config, /tls_disable/);
    assert.deepEqual(server.extraEnvironmentVars, { BAO_CACERT: TLS_CA_FILE });
    assert.equal(server.volumes.at(-1)!.name, "tls");
    assert.equal(server.volumeMounts.at(-1)!.name, "tls");
    assert.match(text, /# Pinned: the chart's own version/);
    assert.match(helmValuesText({ tls: true }), /tlsDisable: false/);
  });

  it("has a certificate for each node, the Services and the loopback, signed by the CA beside it", async () => {
    const { stringData } = (await tlsSecret("openbao")) as unknown as { stringData: Record<string, string> };
    const [ca, server] = ["ca.crt", "tls.crt"].map((key) => new X509Certificate(stringData[key]!));
    assert.ok(server!.verify(ca!.publicKey));
    for (const name of [
      "openbao-0.openbao-internal",
      "openbao-2.openbao-internal",
      "openbao.openbao.svc",
      "openbao-active.openbao.svc",
    ])
      assert.equal(server!.checkHost(name), name);
    assert.equal(server!.checkIP("127.0.0.1"), "127.0.0.1");
    assert.deepEqual(Object.keys(stringData), ["ca.crt", "tls.crt", "tls.key"]);
  });

  it("is trusted by the client load by that CA, and by no other way", () => {
    const settings = { image: "x", prefix: "secret/load", intervalMs: 1, timeoutMs: 1 };
    assert.match(JSON.stringify(clientPod(1, { ...settings, tls: true })), /-ca-file=\/token\/ca\.crt/);
    assert.doesNotMatch(JSON.stringify(clientPod(1, settings)), /-ca-file/);
    assert.equal(TLS_CONFIG.caKey, "ca.crt");
  });

  it("is asked for by --tls, which the Job of reseed does not know", () => {
    assert.equal(parseOptions(["--tls"]).tls, true);
    assert.equal(parseOptions([]).tls, false);
    assert.throws(() => parseOptions(["--tls", "--carry", "reseed"]), /--tls with --carry reseed/);
  });

  it("is claimed to have kept TLS when each join is by https with the CA, and no node answers in plain", () => {
    assert.deepEqual(
      tlsClaims({ config: raft(), nodes: NODES }).map(({ holds }) => holds),
      [true, true],
    );
  });

  const downgrades: Record<string, (config: string) => string> = {
    "one join by http": (config) => config.replace("https://openbao-1", "http://openbao-1"),
    "a join without the CA": (config) => config.replace(/^.*leader_ca_cert_file.*$/m, ""),
    "a listener without TLS": (config) =>
      config.replace(/tls_cert_file.*\n.*tls_key_file.*/, "tls_disable = 1"),
    "TLS that is disabled beside its files": (config) =>
      config.replace("tls_cert_file", "tls_disable = true\n  tls_cert_file"),
  };
  for (const [what, downgrade] of Object.entries(downgrades)) {
    it(`is claimed to be downgraded by ${what}`, () => {
      const config = downgrade(raft());
      assert.notEqual(config, raft());
      assert.equal(tlsClaims({ config, nodes: NODES })[0]!.holds, false);
    });
  }

  it("is claimed to be downgraded by a node that answers in plain, or not over TLS", () => {
    for (const change of [{ plain: 200 }, { secured: 0 }]) {
      const nodes = NODES.map((node, at) => (at === 1 ? { ...node, ...change } : node));
      assert.equal(tlsClaims({ config: raft(), nodes })[1]!.holds, false);
    }
  });
});
