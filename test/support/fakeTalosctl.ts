import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** One node's ingress firewall, as the fake keeps it. */
export interface FakeNode {
  readonly policy: "drop" | "accept" | "off";
  readonly subnets: readonly string[];
  /** Words on standard error with which every patch is refused. */
  readonly refuses?: string;
}

/** talosctl's `get` and `patch` as far as the program calls them; the answers lie ready in files, a log takes each call. */
const PROGRAM = `#!/bin/sh
cd "\${0%/*}" || exit 1
printf '%s\\n' "$(printf '%s\\t' "$@")" >> calls
[ "$1" = --nodes ] && [ -f "$2.now" ] || { echo "rpc error: no such node" >&2; exit 1; }
node=$2
[ "$3" = get ] && exec cat "$node.now"
[ -f "$node.refuses" ] && { cat "$node.refuses" >&2; exit 1; }
echo "token: canary-in-the-diff"
dry=; for word; do
  case "$word" in @*) cat "\${word#@}" > patch.yaml ;; --dry-run) dry=1 ;; esac
done
[ -n "$dry" ] || cp "$node.patched" "$node.now"
`;

/** The answer of `get`: one indented JSON object after the other. */
function chains({ policy, subnets }: FakeNode): string {
  if (policy === "off") return "";
  const rule = (from: readonly string[], ports: readonly number[]) => ({
    matchSourceAddress: { includeSubnets: from },
    matchLayer4: {
      protocol: "tcp",
      matchDestinationPort: { ranges: ports.map((port) => ({ lo: port, hi: port })) },
    },
    verdict: "accept",
  });
  const rules = [rule(["10.0.0.0/8"], [50000]), ...(subnets.length > 0 ? [rule(subnets, [8200, 8201])] : [])];
  return [
    { metadata: { id: "ingress" }, spec: { type: "filter", policy, rules } },
    { metadata: { id: "prerouting" }, spec: { type: "filter", policy: "accept", rules: [] } },
  ]
    .map((chain) => `${JSON.stringify(chain, null, 4)}\n`)
    .join("");
}

/** A fake talosctl in a folder of its own that goes first on PATH until `remove`. */
export class FakeTalosctl {
  private readonly folder = mkdtempSync(join(tmpdir(), "fake-talosctl-"));
  private readonly path = process.env["PATH"];

  /** @param subnets what a patch opens */
  constructor(nodes: Readonly<Record<string, FakeNode>>, subnets: readonly string[]) {
    writeFileSync(join(this.folder, "talosctl"), PROGRAM);
    chmodSync(join(this.folder, "talosctl"), 0o755);
    for (const [name, node] of Object.entries(nodes)) {
      const put = (ending: string, text: string) =>
        writeFileSync(join(this.folder, `${name}.${ending}`), text);
      put("now", chains(node));
      put("patched", chains({ ...node, subnets }));
      if (node.refuses !== undefined)
        put("refuses", `${node.refuses}\n+    token: canary-in-the-quoted-config\n`);
    }
    process.env["PATH"] = `${this.folder}${delimiter}${this.path ?? ""}`;
  }

  /** Every call's arguments. */
  calls(): string[][] {
    const file = join(this.folder, "calls");
    const lines = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
    return lines.map((line) => line.split("\t").filter((word) => word !== ""));
  }

  /** The calls that change a node: "NODE". */
  patched(): string[] {
    return this.calls()
      .filter((call) => call[2] === "patch" && !call.includes("--dry-run"))
      .map((call) => call[1]!);
  }

  /** The text of the newest patch. */
  patch(): string {
    return readFileSync(join(this.folder, "patch.yaml"), "utf8");
  }

  remove(): void {
    process.env["PATH"] = this.path;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
