import assert from "node:assert/strict";
import { versionChecks } from "../../components/gate/versionChecks";
import { configOf, RELEASE, standaloneWorld } from "../support/snapshotBuilder";

const check = versionChecks.find(({ id }) => id === "listener-tls")!;
const WITH_TLS = { tls: { caSecret: "bao-ca", caFile: "/openbao/tls/ca.crt" } };

async function verdict(listener: string, values: object) {
  const world = standaloneWorld();
  const config = `listener "tcp" {\n address = "[::]:8200"\n${listener}}\nstorage "file" {\n path = "/d"\n}\n`;
  world.patch(RELEASE, { spec: { values: { server: { standalone: { config } } } } });
  const settings = configOf({ ...values });
  const snapshot = await world.snapshot(settings);
  return { ...check.judge(snapshot, settings), server: snapshot.serverConfig };
}

const CERTIFICATE = ' tls_cert_file = "/c"\n tls_key_file = "/k"\n';

describe("gate check listener-tls (F61)", () => {
  it("lets a listener with TLS pass when the config says how it is trusted, and the config can be converted", async () => {
    const { verdict: said, server } = await verdict(CERTIFICATE, WITH_TLS);
    assert.equal(said, "pass");
    assert.equal(server.known && server.value?.fault, undefined);
  });

  it("stops for TLS on one side only", async () => {
    assert.equal((await verdict(CERTIFICATE, {})).verdict, "fail");
    assert.equal((await verdict(" tls_disable = 1\n", WITH_TLS)).verdict, "fail");
    assert.equal((await verdict(" tls_disable = 1\n", {})).verdict, "pass");
  });

  it("stops for a listener that asks the program for a certificate", async () => {
    const mutual = `${CERTIFICATE} tls_client_ca_file = "/ca"\n tls_require_and_verify_client_cert = true\n`;
    const { verdict: said, found } = await verdict(mutual, WITH_TLS);
    assert.equal(said, "fail");
    assert.match(found, /no client certificate/);
  });
});
