import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
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

// A shell script: a Node program takes ten times as long to start, and is started a hundred times.
const PROGRAM = `#!/bin/sh
here=\${0%/*}
call=1
while ! mkdir "$here/call-$call" 2> /dev/null; do call=$((call + 1)); done
cd "$here/call-$call"
printf '%s\\0' "$@" > args
env -0 > env
case " $* " in *" --values "*) cat > stdin ;; *) : > stdin ;; esac
mkdir chart
if [ "$1" = upgrade ] && [ -d "$3" ]; then cp -R "$3/." chart; fi
if [ "$1" = version ]; then cat ../version; exit 0; fi
cat ../stdout
cat ../stderr >&2
exit "$(cat ../code)"
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
    for (const [name, text] of Object.entries({ code, stdout, stderr, version }))
      writeFileSync(join(this.folder, name), String(text));
    return this;
  }

  /** Shell text in place of all that. */
  runs(text: string): void {
    writeFileSync(join(this.folder, "helm"), `#!/bin/sh\n${text}\n`);
  }

  get calls(): HelmCall[] {
    const count = readdirSync(this.folder).filter((name) => name.startsWith("call-")).length;
    return Array.from({ length: count }, (_, at) => callIn(join(this.folder, `call-${at + 1}`)));
  }

  remove(): void {
    process.env["PATH"] = this.path;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function callIn(folder: string): HelmCall {
  const parts = (name: string) => readFileSync(join(folder, name), "utf8").split("\0").slice(0, -1);
  const chart = join(folder, "chart");
  const files = readdirSync(chart, { recursive: true, encoding: "utf8" }).filter((name) =>
    statSync(join(chart, name)).isFile(),
  );
  const variables = parts("env").map((line) => line.split(/=(.*)/s) as [string, string]);
  return {
    args: parts("args"),
    stdin: readFileSync(join(folder, "stdin"), "utf8"),
    chart: Object.fromEntries(files.map((name) => [name, readFileSync(join(chart, name), "utf8")])),
    env: Object.fromEntries(variables.filter(([name]) => name.startsWith("HELM_"))),
  };
}
