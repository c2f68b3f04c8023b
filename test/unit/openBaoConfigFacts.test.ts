import assert from "node:assert/strict";
import { auditDevices, listenerTls, sourceStorage } from "../../components/openBaoConfig/serverConfig";

describe("sourceStorage", () => {
  it("gives type and decoded path, from HCL, a map and JSON text", () => {
    const expected = { type: "file", path: '/a b"c\u00e9' };
    assert.deepEqual(sourceStorage('Storage "FILE" {\n path = "/a b\\"c\\u00e9" # x\n}'), expected);
    assert.deepEqual(sourceStorage({ storage: { file: { path: expected.path } } }), expected);
    assert.deepEqual(
      sourceStorage(JSON.stringify({ backend: [{ file: { path: expected.path } }] })),
      expected,
    );
  });

  it("gives no path where Flux fills it in", () => {
    assert.deepEqual(sourceStorage('storage "raft" { path = "${p}" }'), { type: "raft", path: undefined });
  });

  it("reads a heredoc", () => {
    assert.equal(sourceStorage('storage "file" {\n path = <<E\n/d\nE\n}\n').path, "/d\n");
  });
});

describe("listenerTls", () => {
  const tls = (body: string): boolean => listenerTls(`listener "tcp" {\n${body}\n}`).enabled;

  it("reads tls_disable as the server does", () => {
    for (const off of ["1", '"1"', "true", '"TRUE"', '"t"'])
      assert.equal(tls(`tls_disable = ${off}`), false, off);
    for (const on of ["0", '"0"', "false", '""']) assert.equal(tls(`tls_disable = ${on}`), true, on);
    assert.equal(tls(""), true);
  });

  it("refuses a tls_disable that cannot be known", () => {
    assert.throws(
      () => tls('tls_disable = "{{ .Values.off }}"'),
      /"tls_disable" with a value that cannot be known/,
    );
    assert.throws(
      () => tls("{{ if .x }}\ntls_disable = 1\n{{ end }}"),
      /Helm action between the lines of a listener/,
    );
  });

  it("looks at the listener that other nodes reach", () => {
    const source =
      'listener "unix" { address = "/s" }\nlistener "tcp" { address = "127.0.0.1:8200" tls_disable = 1 }\n' +
      'listener { type = "tcp" address = "[::]:8300" tls_cert_file = "/c" tls_key_file = "/k" }';
    assert.deepEqual(listenerTls(source), {
      enabled: true,
      port: 8300,
      certFile: "/c",
      keyFile: "/k",
      requireClientCert: false,
    });
  });
});

describe("auditDevices", () => {
  const device = { type: "file", path: "to-disk/", file_path: "/a.log" };

  it("reads fields before labels, as the server does", () => {
    const options = 'options {\n file_path = "/a.log"\n}';
    assert.deepEqual(auditDevices(`audit "file" "to-disk/" {\n${options}\n}`), [device]);
    assert.deepEqual(auditDevices(`audit "x" {\n type = "file"\n path = "to-disk/"\n${options}\n}`), [
      device,
    ]);
    assert.deepEqual(
      auditDevices({ audit: { file: { "to-disk/": { options: { file_path: "/a.log" } } } } }),
      [device],
    );
  });

  it("refuses a device without a path, with which the server does not start", () => {
    assert.throws(() => auditDevices('audit "file" {}'), /audit block without type or path \(line 1\)/);
  });
});
