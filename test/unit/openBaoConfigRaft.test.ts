import assert from "node:assert/strict";
import { raftConfig } from "../../components/openBaoConfig/raftConfig";
import { joinTrust } from "../../components/openBaoConfig/retryJoin";
import { raftValues } from "../../components/openBaoConfig/targetValues";
import { tlsSchema } from "../../components/platformConfig";

const OPTIONS = { release: "openbao", namespace: "openbao", replicas: 3 };

const STANDALONE = `ui = true
disable_mlock = true
# reached by the Service
listener "tcp" {
  tls_disable = 1
  address     = "[::]:8200" // all addresses
}
storage "file" {
  # on the PVC
  path = "/openbao/data"
}
audit "file" "file/" {
  options {
    file_path = "/openbao/audit/audit.log"
  }
}
`;

const RAFT = `ui = true
disable_mlock = true
# reached by the Service
listener "tcp" {
  tls_disable = 1
  address     = "[::]:8200" // all addresses
  cluster_address = "[::]:8201"
}
storage "raft" {
  # on the PVC
  path = "/openbao/data"
  retry_join {
    leader_api_addr = "http://openbao-0.openbao-internal:8200"
  }
  retry_join {
    leader_api_addr = "http://openbao-1.openbao-internal:8200"
  }
  retry_join {
    leader_api_addr = "http://openbao-2.openbao-internal:8200"
  }
}
audit "file" "file/" {
  options {
    file_path = "/openbao/audit/audit.log"
  }
}

service_registration "kubernetes" {}
`;

const one = (source: string, more: object = {}): string =>
  raftConfig(source, { ...OPTIONS, replicas: 1, ...more }) as string;

describe("raftConfig", () => {
  it("turns the platform's standalone config into the Raft one and leaves every other byte alone", () => {
    assert.equal(raftConfig(STANDALONE, OPTIONS), RAFT);
  });

  it("keeps CRLF line ends", () => {
    const crlf = (text: string): string => text.replaceAll("\n", "\r\n");
    assert.equal(raftConfig(crlf(STANDALONE), OPTIONS), crlf(RAFT));
  });

  it("opens up blocks on one line", () => {
    const source =
      'listener "tcp" { tls_disable = true address = "POD_IP:8200" }\nbackend "file" { path = "/d" }';
    assert.equal(
      one(source),
      `listener "tcp" { tls_disable = true address = "POD_IP:8200"
  cluster_address = "POD_IP:8201"
}
backend "raft" { path = "/d"
  retry_join {
    leader_api_addr = "http://openbao-0.openbao-internal:8200"
  }
}

service_registration "kubernetes" {}
`,
    );
  });

  it("uses the indentation of the block it extends", () => {
    const source = 'listener "tcp" {\n\ttls_disable = 1\n}\nstorage "file" {\n\tpath = "/d"\n}\n';
    const text = one(source);
    assert.ok(text.includes('\n\tcluster_address = "127.0.0.1:8201"\n}'));
    assert.ok(text.includes("\n\tretry_join {\n\t  leader_api_addr = "));
  });

  it("takes braces, quotes and block names in strings, comments and heredocs for text", () => {
    const hostile = `# storage "raft" {
/* } storage "consul" { " */
note = "} storage \\"x\\" { \\\\"
deep = "\${a:="x {y} "}"
text = <<-EOF
  storage "file" { path = "
  EOF
`;
    const text = one(`${hostile}${STANDALONE}`);
    assert.ok(text.startsWith(hostile));
    assert.ok(text.includes('storage "raft" {\n  # on the PVC\n  path = "/openbao/data"\n  retry_join {'));
  });

  it("keeps Helm actions and Flux variables, which are filled in later", () => {
    const source = `{{- /* a "comment" }} */ -}}
cluster_name = "{{ .Values.name | default "x}}y" }}"
max_lease_ttl = \${ttl:=1h}
listener "tcp" {
  tls_disable = 1
  address = "\${addr:=[::]}:8200"
}
storage "file" {
  path = "{{ .Values.path }}"
}
`;
    const text = one(source);
    assert.ok(text.startsWith(source.slice(0, source.indexOf("}\nstorage"))));
    assert.ok(text.includes('cluster_address = "${addr:=[::]}:8201"'));
    assert.ok(text.includes('storage "raft" {\n  path = "{{ .Values.path }}"\n'));
  });

  it("adds no second cluster_address or service_registration", () => {
    const source =
      'listener "tcp" {\n  tls_disable = 1\n  address = "[::]:8200"\n  cluster_address = "[::]:9201"\n}\n' +
      'storage "file" { path = "/d" }\nservice_registration "kubernetes" {}\n';
    const text = one(source);
    assert.equal(text.split("cluster_address").length, 2);
    assert.equal(text.split("service_registration").length, 2);
  });

  it("gives a second listener on another port no cluster_address that would clash", () => {
    const source =
      'listener "tcp" {\n  address = "[::]:8200"\n  tls_disable = 1\n}\n' +
      'listener "tcp" {\n  address = "127.0.0.1:8202"\n  tls_disable = 1\n}\nstorage "file" { path = "/d" }\n';
    assert.deepEqual(one(source).match(/cluster_address = .*/g), ['cluster_address = "[::]:8201"']);
  });

  it("keeps TLS: https and the CA in every retry_join", () => {
    const tls = (more: string): string =>
      `listener "tcp" {\n  address = "[::]:8200"\n  tls_cert_file = "/t/c"\n  tls_key_file = "/t/k"\n${more}}\n` +
      'storage "file" {\n  path = "/d"\n}\n';
    const mutual = one(tls('  tls_client_ca_file = "/t/ca"\n  tls_require_and_verify_client_cert = true\n'));
    assert.ok(mutual.includes('leader_api_addr = "https://openbao-0.openbao-internal:8200"'));
    assert.ok(mutual.includes('    leader_ca_cert_file = "/t/ca"\n    leader_client_cert_file = "/t/c"\n'));
    assert.throws(() => one(tls("")), /openbao-migration:tls\.caFile/);
    assert.ok(one(tls(""), { leaderCaCertFile: '/t/"ca' }).includes('leader_ca_cert_file = "/t/\\"ca"'));
    const named = one(
      tls(""),
      joinTrust(tlsSchema.parse({ caSecret: "s", caFile: "/t/ca", serverName: "bao" })),
    );
    assert.ok(
      named.includes('    leader_ca_cert_file = "/t/ca"\n    leader_tls_servername = "bao"\n'),
      named,
    );
  });

  it("refuses a listener that demands client certificates and names none to show (F61)", () => {
    const demands =
      'tls_client_ca_file = "/t/ca"\n  tls_require_and_verify_client_cert = true\n}\nstorage "file" { path = "/d" }\n';
    for (const more of ["", '  tls_cert_file = "/t/c"\n', '  tls_key_file = "/t/k"\n'])
      assert.throws(
        () => one(`listener "tcp" {\n  address = "[::]:8200"\n${more}  ${demands}`),
        /demands client certificates without tls_cert_file and tls_key_file/,
      );
  });

  it("raises max_entry_size when asked", () => {
    assert.ok(
      one(STANDALONE, { maxEntrySize: 4194304 }).includes('  max_entry_size = "4194304"\n  retry_join'),
    );
  });

  it("converts the map form and keeps the order and the rest of its values", () => {
    const audit = [{ type: "file", path: "file/", options: { file_path: "/a" } }];
    const listener = { tcp: { tls_disable: 1, address: "[::]:8200" } };
    const source = { ui: true, storage: { file: { path: "/d" } }, listener, audit };
    const result = raftConfig(source, { ...OPTIONS, replicas: 1 });
    assert.equal(
      JSON.stringify(result),
      JSON.stringify({
        ui: true,
        storage: {
          raft: { path: "/d", retry_join: [{ leader_api_addr: "http://openbao-0.openbao-internal:8200" }] },
        },
        listener: { tcp: { ...listener.tcp, cluster_address: "[::]:8201" } },
        audit,
        service_registration: { kubernetes: {} },
      }),
    );
    assert.deepEqual(JSON.parse(one(JSON.stringify(source))), result);
    assert.deepEqual(source.listener.tcp, { tls_disable: 1, address: "[::]:8200" });
  });

  const refused: Record<string, [source: string, message: RegExp]> = {
    "no storage": ['listener "tcp" { tls_disable = 1 }', /found no storage block/],
    "two storages": [
      `${STANDALONE}backend "file" { path = "/x" }\n`,
      /2 storage blocks \(line 8 and line 17\)/,
    ],
    "storage that is Raft already": [RAFT, /line 9: found storage of type "raft", expected "file"/],
    "an unknown storage key": [
      STANDALONE.replace("path =", "paht ="),
      /line 8: found "paht" in the storage block/,
    ],
    ha_storage: [`ha_storage "consul" {}\n${STANDALONE}`, /found ha_storage/],
    "self-initialisation (I27)": [
      `${STANDALONE}initialize "audit" {\n request "enable" {\n  operation = "update"\n }\n}\n`,
      /found an initialize stanza/,
    ],
    "self-initialisation in JSON (I27)": [
      '{"initialize": {"audit": {"request": {}}}, "storage": {"file": {"path": "/d"}}, "listener": {"tcp": {}}}',
      /found an initialize stanza/,
    ],
    disable_clustering: [`disable_clustering = "true"\n${STANDALONE}`, /Raft needs clustering/],
    "no listener": ['storage "file" { path = "/d" }', /no tcp listener/],
    "an unreadable address": [
      STANDALONE.replace("[::]:8200", "${all}"),
      /no readable host and port \(line 4\)/,
    ],
    "an unclosed block": [STANDALONE.slice(0, -3), /the end of the config, expected "}"/],
    "an unclosed string": ['ui = "x\n', /line 1: found a string without its end/],
    "an unclosed comment": ["\n/* x", /line 2: found a comment without its end/],
    "an unclosed heredoc": ["a = <<X\nX", /a heredoc without its end/],
    "JSON with a key twice": ['{"listener":{},"listener":{}}', /same key more than once/],
    "a Helm action in storage": [
      STANDALONE.replace("# on the PVC", "{{ if .x }}"),
      /Helm action in the storage/,
    ],
  };
  for (const [name, [source, message]] of Object.entries(refused)) {
    it(`refuses ${name}`, () => assert.throws(() => raftConfig(source, OPTIONS), message));
  }

  it("names no value in a refusal, since a seal block can hold a token", () => {
    assert.throws(
      () => raftConfig('seal "transit" { token = "hvs.secret" = }', OPTIONS),
      (error: Error) => !error.message.includes("hvs.secret"),
    );
  });
});

describe("raftValues", () => {
  it("gives the owned fields only, with all nodes in retry_join from the first replica on", () => {
    const values = {
      injector: { enabled: false },
      server: { standalone: { enabled: true, config: STANDALONE } },
    };
    assert.deepEqual(raftValues(values, { ...OPTIONS, haReplicas: 1 }), {
      server: {
        standalone: { enabled: false },
        ha: { enabled: true, replicas: 1, raft: { enabled: true, setNodeId: true, config: RAFT } },
      },
    });
  });

  it("takes the release's own config where the values leave it to the chart, and refuses without", () => {
    const overlay = raftValues({}, { ...OPTIONS, standaloneConfig: STANDALONE });
    assert.equal((overlay.server.ha as { raft: { config: unknown } }).raft.config, RAFT);
    assert.throws(() => raftValues({ server: {} }, OPTIONS), /no server.standalone.config/);
  });
});
