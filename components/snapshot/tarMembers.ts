const BLOCK = 512;
/** A member's own bound: what a Raft snapshot of the largest store needs, in bytes. */
const MAX_MEMBER_BYTES = 2 ** 40;

/** A tar that is not one, or is cut off. */
export class TarFault extends Error {
  override readonly name = "TarFault";
}

export interface TarMember {
  readonly name: string;
  readonly bytes: number;
  /** Seconds since 1970, as the writer's clock had it. */
  readonly modified: number;
}

export interface TarVisitor {
  /** Called once a member, before its content. May throw. */
  member(member: TarMember): void;
  /** Called for each piece of the member's content, in order. */
  content(piece: Buffer): void;
}

/**
 * Reads a tar piece by piece; never holds more than one header block. Plain files only: a link, folder or extension
 * header has no place in a snapshot (hazard F28).
 */
export class TarReader {
  private header = Buffer.alloc(0);
  private content = 0;
  private padding = 0;
  private zeroBlocks = 0;

  constructor(private readonly visitor: TarVisitor) {}

  /** @throws TarFault */
  write(piece: Buffer): void {
    let rest = piece;
    while (rest.length > 0) {
      if (this.content > 0) {
        const part = rest.subarray(0, this.content);
        this.visitor.content(part);
        this.content -= part.length;
        rest = rest.subarray(part.length);
      } else if (this.padding > 0) {
        const part = Math.min(this.padding, rest.length);
        this.padding -= part;
        rest = rest.subarray(part);
      } else {
        const part = rest.subarray(0, BLOCK - this.header.length);
        this.header = Buffer.concat([this.header, part]);
        rest = rest.subarray(part.length);
        if (this.header.length === BLOCK) this.block();
      }
    }
  }

  /** @throws TarFault when the tar ended too early. */
  end(): void {
    if (this.content > 0 || this.padding > 0 || this.header.length > 0)
      throw new TarFault("it ends in the middle of a member");
    if (this.zeroBlocks < 2) throw new TarFault("it has no end mark");
  }

  private block(): void {
    const header = this.header;
    this.header = Buffer.alloc(0);
    if (header.every((byte) => byte === 0)) {
      this.zeroBlocks++;
      return;
    }
    if (this.zeroBlocks > 0) throw new TarFault("it goes on after its end mark");
    const sum = header.reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 32 : byte), 0);
    if (sum !== octal(header, 148, 8)) throw new TarFault("a member's header has a wrong checksum");
    const type = String.fromCharCode(header[156]!);
    const name = text(header, 0, 100);
    if ((type !== "0" && type !== "\0") || text(header, 345, 155) !== "") {
      throw new TarFault("it holds something else than plain files");
    }
    const bytes = octal(header, 124, 12);
    if (bytes > MAX_MEMBER_BYTES) throw new TarFault("a member is larger than 1 TiB");
    this.visitor.member({ name, bytes, modified: octal(header, 136, 12) });
    this.content = bytes;
    this.padding = (BLOCK - (bytes % BLOCK)) % BLOCK;
  }
}

function text(header: Buffer, at: number, length: number): string {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.subarray(0, end < 0 ? length : end).toString("latin1");
}

function octal(header: Buffer, at: number, length: number): number {
  const digits = text(header, at, length).trim();
  // Sizes over 8 GiB are base-256 in GNU's form: the first bit is set.
  if ((header[at]! & 0x80) !== 0) {
    let value = header[at]! & 0x7f;
    for (let i = at + 1; i < at + length; i++) value = value * 256 + header[i]!;
    if (!Number.isSafeInteger(value)) throw new TarFault("a member's header has an impossible number");
    return value;
  }
  if (!/^[0-7]+$/.test(digits)) throw new TarFault("a member's header has no number where one belongs");
  return parseInt(digits, 8);
}
