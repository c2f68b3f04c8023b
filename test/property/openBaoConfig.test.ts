import assert from "node:assert/strict";
import fc from "fast-check";
import { propertyRuns } from "../support/propertyRuns";
import { hclItems } from "../../components/openBaoConfig/hclBlocks";
import { raftConfig } from "../../components/openBaoConfig/raftConfig";
import { listenerTls, sourceStorage } from "../../components/openBaoConfig/serverConfig";

const OPTIONS = { release: "openbao", namespace: "openbao", replicas: 3 };

/** Any text as an HCL string; "$" and "{" only so that they open nothing of the layers above. */
function hclString(text: string): string {
  const escaped = [...text].map((char) =>
    /[\p{L}\p{N} #/*}{[\]=,<>'`.:;@-]/u.test(char) && char !== "{"
      ? char
      : [...`${char}`].map((each) => `\\U${each.codePointAt(0)!.toString(16).padStart(8, "0")}`).join(""),
  );
  return `"${escaped.join("")}"`;
}

const hostile = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.string({
    unit: fc.constantFrom('"', "\\", "{", "}", "$", "#", "/", "*", "\n", "<", "E", "'"),
    maxLength: 30,
  }),
  fc.constantFrom('storage "file" {', "} listener", "<<EOF\n", "{{ .Values.x }}", "${x}", "*/", "// #"),
);
const line = hostile.map((text) => text.replace(/[\n\r]/g, " "));
const filler = fc.oneof(
  line.map((text) => `# ${text}\n`),
  line.map((text) => `// ${text}\n`),
  hostile.map((text) => `/* ${text.replaceAll("*/", "* /")} */\n`),
  hostile.map((text) => `cluster_name = ${hclString(text)}\n`),
  hostile.map((text) => `seal "transit" {\n  token = ${hclString(text)}\n}\n`),
  line.filter((text) => text.trim() !== "END").map((text) => `telemetry {\n  a = <<END\n${text}\nEND\n}\n`),
  hostile.map((text) => `audit "file" ${hclString(text)} { options { file_path = ${hclString(text)} } }\n`),
  fc.constantFrom("\n", "api_addr = [1, 2.5, [true], {a = 0x1F}]\n", 'user_lockout "all" {\n}\n'),
);
const fillers = fc.array(filler, { maxLength: 4 }).map((parts) => parts.join(""));
const path = hostile.filter((text) => text !== "");

describe("raftConfig, for any config", () => {
  it("keeps what it does not own byte for byte, and its result reads as Raft on the same path", () => {
    fc.assert(
      fc.property(fillers, fillers, fillers, path, (first, second, third, storagePath) => {
        const listener = (more: string): string =>
          `listener "tcp" {\n  address = "[::]:8200"\n  tls_disable = 1\n${more}}\n`;
        const source = `${first}${listener("")}${second}storage "file" {\n  path = ${hclString(storagePath)}\n}\n${third}`;
        const result = raftConfig(source, OPTIONS) as string;
        const head = `${first}${listener('  cluster_address = "[::]:8201"\n')}${second}storage "raft" {\n  path = `;
        assert.ok(result.startsWith(`${head}${hclString(storagePath)}\n  retry_join {\n`));
        assert.ok(result.endsWith(`  }\n}\n${third}\nservice_registration "kubernetes" {}\n`));
        assert.deepEqual(sourceStorage(result), { type: "raft", path: storagePath });
        assert.equal(listenerTls(result).enabled, false);
        assert.equal(hclItems(result).length, hclItems(source).length + 1);
      }),
      propertyRuns(500),
    );
  });

  it("refuses or converts any text at all, and never fails in another way", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(filler, hostile), { maxLength: 6 }), (parts) => {
        try {
          raftConfig(
            `${parts.join("")}listener "tcp" { tls_disable = 1 }\nstorage "file" { path = "/d" }\n`,
            OPTIONS,
          );
        } catch (error) {
          assert.equal((error as Error).name, "ServerConfigError");
        }
      }),
      propertyRuns(500),
    );
  });
});
