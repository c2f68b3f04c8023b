import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

export interface HelmCall {
  readonly args: readonly string[];
  readonly stdin: string;
  /** Files of the chart's folder, by their paths in it. */
  readonly chart: Readonly<Record<string, string>>;
  /** Names of Helm's own variables that it was given. */
  readonly env: Readonly<Record<string, string>>;
}

const PROGRAM = `#!${process.execPath}
const { readFileSync, readdirSync, statSync, appendFileSync, existsSync } = require("node:fs");
const { join } = require("node:path");
const args = process.argv.slice(2);
const chart = {};
if (args[0] === "upgrade" && existsSync(args[2]))
  for (const name of readdirSync(args[2], { recursive: true }))
    if (statSync(join(args[2], name)).isFile()) chart[name] = readFileSync(join(args[2], name), "utf8");
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith("HELM_")));
const stdin = args.includes("--values") ? readFileSync(0, "utf8") : "";
appendFileSync(join(__dirname, "calls"), JSON.stringify({ args, stdin, chart, env }) + "\\n");
const answer = JSON.parse(readFileSync(join(__dirname, "answer"), "utf8"));
process.stdout.write(args[0] === "version" ? answer.version : answer.stdout);
process.stderr.write(answer.stderr);
process.exitCode = args[0] === "version" ? 0 : answer.code;
`;

/** A helm on PATH that writes down how it was called, and answers as it is told. */
export class FakeHelm {
  private readonly folder = mkdtempSync(join(tmpdir(), "fake-helm-"));
  private readonly path = process.env["PATH"];

  constructor() {
    writeFileSync(join(this.folder, "helm"), PROGRAM);
    chmodSync(join(this.folder, "helm"), 0o755);
    this.answers({});
    process.env["PATH"] = [this.folder, this.path ?? ""].join(delimiter);
  }

  answers({ code = 0, stdout = "", stderr = "", version = "v3.19.5" }): this {
    writeFileSync(join(this.folder, "answer"), JSON.stringify({ code, stdout, stderr, version }));
    return this;
  }

  get calls(): HelmCall[] {
    const file = join(this.folder, "calls");
    if (!existsSync(file)) return [];
    return readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as HelmCall);
  }

  remove(): void {
    process.env["PATH"] = this.path;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
