import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { TarFault, TarReader, type TarMember } from "./tarMembers";

/** The members of `bao operator raft snapshot save`, and nothing else (facts/openbao.md section 6). */
const MEMBERS = ["meta.json", "state.bin", "SHA256SUMS", "SHA256SUMS.sealed"] as const;
/** Bound in bytes of the members that are held in memory; real ones have a few hundred. */
const SMALL_BYTES = 64 * 1024;
/** A runner's clock and the server's may differ by this much (hazard F60). */
const CLOCK_TOLERANCE_MS = 600_000;
const HOUR_MS = 3_600_000;

/** A snapshot that is not to be trusted. Its text holds nothing of the content. */
export class SnapshotFault extends Error {
  override readonly name = "SnapshotFault";
  constructor(
    message: string,
    readonly hazard: "F28" | "F29" | "F30" | "F65",
  ) {
    super(message);
  }
}

/** What a whole, self-consistent snapshot says of itself. It holds ciphertext only. */
export interface SnapshotFacts {
  /** SHA-256 of the file as it lies on disk, hex. */
  readonly sha256: string;
  readonly bytes: number;
  /** Bytes of the store inside. */
  readonly stateBytes: number;
  readonly index: number;
  readonly term: number;
  /** RFC 3339, by the clock of the server that wrote it. */
  readonly createdAt: string;
  /** Raft nodes of the cluster that wrote it. */
  readonly nodes: readonly string[];
  /** Text of SHA256SUMS, and the same under the seal of its cluster: what a key is proved with. */
  readonly sums: Buffer;
  readonly sealedSums: Buffer;
}

/**
 * Reads a snapshot once from end to end and checks all that can be checked without a key: gzip and its CRC, the four
 * members, no other, SHA256SUMS, the size in meta.json. Memory does not grow with the file.
 * @throws SnapshotFault (hazard F28); Error when the file cannot be read.
 */
export async function readSnapshot(file: string): Promise<SnapshotFacts> {
  const members = new Members();
  const tar = new TarReader(members);
  const whole = createHash("sha256");
  let bytes = 0;
  const hashed = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      whole.update(chunk);
      done(null, chunk);
    },
  });
  const untar = new Writable({
    write(chunk: Buffer, _encoding, done) {
      try {
        tar.write(chunk);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
  try {
    await pipeline(createReadStream(file), hashed, createGunzip(), untar);
    tar.end();
  } catch (error) {
    throw faultOf(error);
  }
  return { ...members.facts(), sha256: whole.digest("hex"), bytes };
}

/** @throws SnapshotFault when it is older than `maxAgeHours`, or from the future (hazard F30). */
export function assertFresh(facts: SnapshotFacts, maxAgeHours: number, nowMs = Date.now()): void {
  const age = nowMs - Date.parse(facts.createdAt);
  if (age > maxAgeHours * HOUR_MS) {
    throw new SnapshotFault(
      `it was taken at ${facts.createdAt}, ${(age / HOUR_MS).toFixed(1)} h ago; expected at most ${maxAgeHours} h: what was written since would be lost`,
      "F30",
    );
  }
  if (age < -CLOCK_TOLERANCE_MS) {
    throw new SnapshotFault(
      `it was taken at ${facts.createdAt}, which is in the future; put the clocks right`,
      "F30",
    );
  }
}

class Members {
  private readonly held = new Map<string, { parts: Buffer[]; hash: Hash; member: TarMember }>();
  private current: { parts: Buffer[]; hash: Hash; member: TarMember } | undefined;

  member(member: TarMember): void {
    const known = (MEMBERS as readonly string[]).includes(member.name);
    if (!known) throw new TarFault("it has a member that no snapshot has");
    if (this.held.has(member.name)) throw new TarFault(`it has ${member.name} twice`);
    if (member.name !== "state.bin" && member.bytes > SMALL_BYTES)
      throw new TarFault(`${member.name} has ${member.bytes} bytes, expected a few hundred`);
    this.current = { parts: [], hash: createHash("sha256"), member };
    this.held.set(member.name, this.current);
  }

  content(piece: Buffer): void {
    const { parts, hash, member } = this.current!;
    hash.update(piece);
    if (member.name !== "state.bin") parts.push(Buffer.from(piece));
  }

  facts(): Omit<SnapshotFacts, "sha256" | "bytes"> {
    const missing = MEMBERS.filter((name) => !this.held.has(name));
    if (missing.length > 0) throw new SnapshotFault(`it lacks ${missing.join(", ")}`, "F28");
    const [meta, state, sums, sealed] = MEMBERS.map((name) => this.held.get(name)!) as [
      NonNullable<typeof this.current>,
      NonNullable<typeof this.current>,
      NonNullable<typeof this.current>,
      NonNullable<typeof this.current>,
    ];
    const text = Buffer.concat(sums.parts);
    assertSums(text.toString("utf8"), { "meta.json": meta.hash, "state.bin": state.hash });
    const told = metaOf(Buffer.concat(meta.parts).toString("utf8"));
    if (told.size !== state.member.bytes || state.member.bytes === 0) {
      throw new SnapshotFault(
        `meta.json speaks of ${told.size} bytes of state, ${state.member.bytes} are there`,
        "F28",
      );
    }
    return {
      stateBytes: state.member.bytes,
      index: told.index,
      term: told.term,
      createdAt: new Date(state.member.modified * 1000).toISOString(),
      nodes: told.nodes,
      sums: text,
      sealedSums: Buffer.concat(sealed.parts),
    };
  }
}

function assertSums(text: string, hashes: Readonly<Record<string, Hash>>): void {
  const lines = text.split("\n").filter((line) => line !== "");
  const told = new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
  const wrong = Object.entries(hashes).filter(([name, hash]) => told.get(name) !== hash.digest("hex"));
  if (wrong.length > 0 || told.size !== Object.keys(hashes).length || lines.length !== told.size) {
    throw new SnapshotFault(
      `SHA256SUMS does not fit ${wrong.map(([name]) => name).join(", ") || "its members"}`,
      "F28",
    );
  }
}

interface Meta {
  readonly size: number;
  readonly index: number;
  readonly term: number;
  readonly nodes: string[];
}

function metaOf(text: string): Meta {
  let meta: Record<string, unknown>;
  try {
    meta = JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new SnapshotFault("meta.json is not JSON", "F28");
  }
  const number = (key: string): number => {
    const value = meta[key];
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
      throw new SnapshotFault(`meta.json has no number "${key}"`, "F28");
    return value;
  };
  const servers = (meta["Configuration"] as { Servers?: unknown } | null | undefined)?.Servers;
  const nodes = Array.isArray(servers)
    ? servers.slice(0, 100).map((one: { ID?: unknown }) => String(one?.ID ?? "?").slice(0, 100))
    : [];
  return { size: number("Size"), index: number("Index"), term: number("Term"), nodes };
}

function faultOf(error: unknown): Error {
  if (error instanceof SnapshotFault) return error;
  if (error instanceof TarFault) return new SnapshotFault(error.message, "F28");
  const code = (error as { code?: unknown }).code;
  // zlib's own codes, such as Z_DATA_ERROR and Z_BUF_ERROR: not gzip, damaged, or cut off.
  if (typeof code === "string" && code.startsWith("Z_"))
    return new SnapshotFault(`it is not whole gzip (${code})`, "F28");
  return error as Error;
}
