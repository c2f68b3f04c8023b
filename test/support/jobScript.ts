import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const JOBS = resolve(__dirname, "../../components/steps/jobs");
/** OpenBao's image has busybox's shell and tools; where this machine has none, its own have to do. */
const SHELL = spawnSync("busybox", ["sh", "-c", ":"]).status === 0 ? ["busybox", "sh"] : ["sh"];

/** What a Job's script left. */
export interface ScriptRun {
  readonly code: number | null;
  /** The termination message, parsed. */
  readonly result: Record<string, unknown>;
  readonly output: string;
}

/** Tools in place of this machine's. Busybox's shell runs its own tools whatever PATH says, so another shell runs then. */
export interface Tools {
  /** The run has these and no others. @default all that this machine has */
  readonly only?: readonly string[];
  /** Name -> body of a stand-in; the real one is found with PATH=/usr/bin:/bin. */
  readonly fakes?: Readonly<Record<string, string>>;
}

/** The tools that a Job's script asks for before it begins. */
export function toolsOf(script: string): string[] {
  const text = readFileSync(join(JOBS, script), "utf8").replaceAll("\\\n", "");
  return (/^for tool in ([^;]+); do$/m.exec(text)?.[1] ?? "").trim().split(/\s+/);
}

/** A Job's script on a folder in place of the volume, with a fake `bao` in place of the real one. */
export class JobScript {
  readonly dir = mkdtempSync(join(tmpdir(), "job-script-"));
  readonly data = join(this.dir, "data");

  constructor(
    private readonly script:
      | "carry.sh"
      | "cleanup.sh"
      | "fileCopy.sh"
      | "keyProof.sh"
      | "setAside.sh"
      | "setOldRaftAside.sh"
      | "wipeFresh.sh",
    /** Files beside the script, as name -> text. */
    private readonly files: Readonly<Record<string, string>> = {},
    /** Variables of the Job. */
    private readonly env: Readonly<Record<string, string>> = {},
  ) {
    for (const [path, text] of Object.entries({
      "core/_keyring": '{"Value":"a2V5"}',
      "core/_seal-config": '{"Value":"e30="}',
      "logical/m1/_one": '{"Value":"b25l"}',
      "logical/m1/deep/_two": '{"Value":"dHdv"}',
      "sys/policy/_default": '{"Value":"cG9s"}',
    })) {
      this.put(path, text);
    }
  }

  put(path: string, text: string): void {
    mkdirSync(dirname(join(this.data, path)), { recursive: true });
    writeFileSync(join(this.data, path), text);
  }

  removeEntry(path: string): void {
    rmSync(join(this.data, path));
  }

  read(path: string): string {
    return readFileSync(join(this.data, path), "utf8");
  }

  /** Runs the real script; only its fixed folders are moved. `bao` is the body of the fake, `files` lie in /job. */
  run(bao: string, files: Readonly<Record<string, string>> = {}, tools?: Tools): ScriptRun {
    const [work, bin, job] = ["work", "bin", "job"].map((name) => join(this.dir, name)) as [
      string,
      string,
      string,
    ];
    rmSync(work, { recursive: true, force: true });
    for (const folder of [work, bin, job]) mkdirSync(folder, { recursive: true });
    for (const [name, content] of Object.entries({ ...this.files, ...files }))
      writeFileSync(join(job, name), content);
    for (const [name, body] of Object.entries({ ...tools?.fakes, bao })) {
      writeFileSync(join(bin, name), `#!/bin/sh\nWORK=${work}\nDATA=${this.data}\n${body}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    const message = join(this.dir, "message");
    rmSync(message, { force: true });
    const text = readFileSync(join(JOBS, this.script), "utf8")
      .replaceAll("/openbao/data", this.data)
      .replaceAll("WORK=/scratch", `WORK=${work}`)
      .replaceAll("/dev/termination-log", message)
      .replaceAll("/job/", `${job}/`);
    const path = join(this.dir, "script.sh");
    writeFileSync(path, text);
    const [shell = "sh", ...args] = tools === undefined ? SHELL : ["/bin/sh"];
    const done = spawnSync(shell, [...args, path], {
      encoding: "utf8",
      timeout: 30_000,
      env: {
        PATH: `${bin}:${tools?.only === undefined ? process.env["PATH"] : this.toolbox(tools.only)}`,
        ...this.env,
      },
    });
    let result: Record<string, unknown> = {};
    try {
      result = JSON.parse(readFileSync(message, "utf8")) as Record<string, unknown>;
    } catch {
      // A script that died before its end has no message.
    }
    return { code: done.status, result, output: done.stdout + done.stderr };
  }

  private toolbox(names: readonly string[]): string {
    const folder = join(this.dir, "tools");
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    for (const name of names) {
      const places = (process.env["PATH"] ?? "").split(":").map((place) => join(place, name));
      symlinkSync(
        places.find((place) => existsSync(place))!,
        join(folder, name),
      );
    }
    return folder;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A `bao operator migrate` that copies everything both ways, as the real one does. */
export const COPYING_BAO = `
case "$*" in
  *forth.hcl*)
    mkdir -p $WORK/raft/raft
    (cd $WORK/view && find -L . -type f) > $WORK/list
    while read -r f; do echo "copied key: path=$f" >&2; done < $WORK/list
    echo store > $WORK/raft/vault.db
    echo log > $WORK/raft/raft/raft.db ;;
  *back.hcl*) cp -RL $WORK/view/. $WORK/back/ ;;
esac
echo "Success! All of the keys have been migrated."`;
