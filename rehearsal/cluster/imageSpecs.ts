import { execFileSync } from "node:child_process";
import { toolPath } from "../tools/tools";
import type { TarEntry } from "./tar";

/** An image made by hand: a file system of one layer and how to run it. */
export interface ImageSpec {
  /** Full name with tag, as pods ask for it. */
  readonly name: string;
  readonly entries: readonly TarEntry[];
  readonly entrypoint: readonly string[];
  readonly command?: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
}

export const PAUSE_IMAGE = "rehearsal.local/pause:1";
export const COREDNS_IMAGE = "rehearsal.local/coredns:1.13.1";
export const OPENBAO_IMAGE = "quay.io/openbao/openbao:2.4.0";

/** Every image of the cluster; the first ones are needed before any pod can run. */
export function imageSpecs(): ImageSpec[] {
  return [pauseImage(), corednsImage(), openbaoImage()];
}

function pauseImage(): ImageSpec {
  const entries = [copy("bin/busybox", toolPath("busybox"))];
  return {
    name: PAUSE_IMAGE,
    entries: [directory("bin"), ...entries],
    entrypoint: ["/bin/busybox", "sleep", "2147483647"],
  };
}

function corednsImage(): ImageSpec {
  return { name: COREDNS_IMAGE, entries: [copy("coredns", toolPath("coredns"))], entrypoint: ["/coredns"] };
}

/** As the official image: user openbao 100:1000, busybox tools, the entry point script, bao on PATH. */
function openbaoImage(): ImageSpec {
  const owned = { uid: 100, gid: 1000 };
  const dataFolders = ["config", "data", "file", "logs", "audit"].map((name) =>
    directory(`openbao/${name}`, 0o755, owned),
  );
  const entries: TarEntry[] = [
    ...[
      "bin",
      "dev",
      "etc",
      "etc/ssl",
      "etc/ssl/certs",
      "home",
      "proc",
      "run",
      "sbin",
      "sys",
      "usr",
      "usr/bin",
    ].map((name) => directory(name)),
    ...["usr/sbin", "usr/local", "usr/local/bin", "var"].map((name) => directory(name)),
    directory("tmp", 0o1777),
    directory("home/openbao", 0o755, owned),
    directory("openbao", 0o755, owned),
    ...dataFolders,
    text(
      "etc/passwd",
      "root:x:0:0:root:/root:/bin/sh\nopenbao:x:100:1000:openbao:/home/openbao:/sbin/nologin\n",
    ),
    text("etc/group", "root:x:0:\nopenbao:x:1000:openbao\n"),
    text("etc/nsswitch.conf", "hosts: files dns\n"),
    text("usr/local/bin/docker-entrypoint.sh", ENTRYPOINT, 0o755),
    copy("bin/busybox", toolPath("busybox")),
    ...appletLinks(toolPath("busybox")),
    copy("bin/bao", toolPath("bao")),
    { kind: "link", path: "usr/local/bin/bao", target: "/bin/bao", mode: 0o777 },
  ];
  return {
    name: OPENBAO_IMAGE,
    entries,
    entrypoint: ["docker-entrypoint.sh"],
    command: ["bao", "server"],
    user: "100:1000",
  };
}

/** A command that is not a program of its own is taken for a subcommand of bao, as in the official image. */
const ENTRYPOINT = `#!/bin/sh
set -e
case "\${1:-}" in
  -*) set -- bao "$@" ;;
  server|agent|proxy|operator|status|version|login|read|write|kv|secrets|policy|audit|auth|token) set -- bao "$@" ;;
esac
exec "$@"
`;

function appletLinks(busybox: string): TarEntry[] {
  const listed = execFileSync(busybox, ["--list-full"], { encoding: "utf8" }).trim().split("\n");
  return listed
    .filter((path) => path !== "bin/busybox")
    .map((path): TarEntry => ({
      kind: "link",
      path: path === "linuxrc" ? "bin/linuxrc" : path,
      target: "/bin/busybox",
      mode: 0o777,
    }));
}

function directory(path: string, mode = 0o755, owner: { uid?: number; gid?: number } = {}): TarEntry {
  return { kind: "directory", path, mode, ...owner };
}

function text(path: string, content: string, mode = 0o644): TarEntry {
  return { kind: "text", path, text: content, mode };
}

function copy(path: string, source: string): TarEntry {
  return { kind: "copy", path, source, mode: 0o755 };
}
