import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate and its key, as PEM. */
export interface TestPair {
  readonly cert: string;
  readonly key: string;
}

/** A throw-away CA, and certificates that it signed. */
export class TestCertificates {
  private readonly folder = mkdtempSync(join(tmpdir(), "certificates-"));
  readonly ca: string;

  constructor() {
    this.make("ca", "test CA", ["-addext", "basicConstraints=critical,CA:TRUE"]);
    this.ca = this.read("ca.crt");
  }

  /** @param days negative for one that has ended. */
  signed(name: string, subjectAltName: string, days = 1): TestPair {
    const csr = join(this.folder, `${name}.csr`);
    const extensions = join(this.folder, `${name}.ext`);
    writeFileSync(extensions, `subjectAltName=${subjectAltName}\n`);
    this.openssl("req", "-new", "-subj", `/CN=${name}`, ...this.newKey(name), "-out", csr);
    this.openssl(
      "x509",
      "-req",
      "-in",
      csr,
      "-extfile",
      extensions,
      "-days",
      String(days),
      ...this.signer(name),
    );
    return { cert: this.read(`${name}.crt`), key: this.read(`${name}.key`) };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private make(name: string, subject: string, more: readonly string[]): void {
    const out = join(this.folder, `${name}.crt`);
    this.openssl(
      "req",
      "-x509",
      "-days",
      "2",
      "-subj",
      `/CN=${subject}`,
      ...more,
      ...this.newKey(name),
      "-out",
      out,
    );
  }

  private newKey(name: string): string[] {
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    return [...curve, "-keyout", join(this.folder, `${name}.key`)];
  }

  private signer(name: string): string[] {
    const file = (ending: string): string => join(this.folder, ending);
    return ["-CA", file("ca.crt"), "-CAkey", file("ca.key"), "-CAcreateserial", "-out", file(`${name}.crt`)];
  }

  private openssl(...args: string[]): void {
    execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
  }

  private read(name: string): string {
    return readFileSync(join(this.folder, name), "utf8");
  }
}
