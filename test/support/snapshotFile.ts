import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";

/** Members in the order in which OpenBao writes them; a test changes one before it packs. */
export interface SnapshotParts {
  members: { name: string; content: Buffer; type?: string; modified?: number }[];
}

export const SNAPSHOT_KEY = Buffer.alloc(32, 7);
export const TAKEN_AT = Date.parse("2026-11-24T08:00:00Z");

/** A snapshot as OpenBao 2.4.0 writes it (the real one is in test/contract), around `state`. */
export function snapshotParts(state = randomBytes(4096), key = SNAPSHOT_KEY): SnapshotParts {
  const meta = Buffer.from(
    JSON.stringify({
      Version: 1,
      ID: "bolt-snapshot",
      Index: 33,
      Term: 3,
      Peers: null,
      Configuration: { Servers: [{ Suffrage: 0, ID: "openbao-0", Address: "openbao-0:8201" }] },
      ConfigurationIndex: 1,
      Size: state.length,
    }),
  );
  const sums = Buffer.from(`${sha256(meta)}  meta.json\n${sha256(state)}  state.bin\n`);
  return {
    members: [
      { name: "meta.json", content: meta },
      { name: "state.bin", content: state },
      { name: "SHA256SUMS", content: sums },
      { name: "SHA256SUMS.sealed", content: sealed(sums, key) },
    ],
  };
}

export function packed({ members }: SnapshotParts): Buffer {
  const blocks = members.flatMap(({ name, content, type = "0", modified = TAKEN_AT / 1000 }) => [
    header(name, content.length, type, modified),
    content,
    Buffer.alloc((512 - (content.length % 512)) % 512),
  ]);
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

/** Protobuf: field 1 the nonce with the ciphertext, field 5 empty, as the Shamir seal writes it. */
function sealed(text: Buffer, key: Buffer): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const body = Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  const length = [(body.length & 0x7f) | 0x80, body.length >> 7];
  return Buffer.concat([Buffer.from([0x0a, ...length]), body, Buffer.from([0x2a, 0])]);
}

function header(name: string, bytes: number, type: string, modified: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write("0000600\0", 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  block.write(`${bytes.toString(8).padStart(11, "0")}\0`, 124);
  block.write(`${modified.toString(8).padStart(11, "0")}\0`, 136);
  block.write("        ", 148);
  block.write(type, 156);
  block.write("ustar\x0000", 257);
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
