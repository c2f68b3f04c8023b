import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startGitServer, type GitServer } from "../../../rehearsal/flux/gitServer";
import { cgiEnvironment, cgiHead } from "../../../rehearsal/flux/httpBackend";
import { hasBranch, mainSays, publish, squashMerge } from "../../../rehearsal/flux/reviewedRepository";
import { makePlatformCheckout } from "../../../rehearsal/source/platformCheckout";
import { HELM_RELEASE_FILE } from "../../../rehearsal/source/platformFiles";

describe("the rehearsal's Git server", () => {
  let dir: string;
  let server: GitServer;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "git-server-"));
    await makePlatformCheckout(join(dir, "platform"));
    mkdirSync(join(dir, "charts"));
    writeFileSync(join(dir, "charts", "index.yaml"), "entries: {}\n");
    await publish(join(dir, "platform"), join(dir, "root", "platform.git"));
    server = await startGitServer(join(dir, "root"), join(dir, "charts"));
  });
  after(async () => {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  // Not execFileSync: the server answers from this same process.
  const git = (...args: string[]) =>
    promisify(execFile)("git", args, { env: { ...process.env, GIT_TERMINAL_PROMPT: "0" }, timeout: 30_000 });

  it("gives a clone over smart HTTP", async () => {
    await git("clone", "--quiet", `${server.url}/platform.git`, join(dir, "clone"));
    assert.match(readFileSync(join(dir, "clone", HELM_RELEASE_FILE), "utf8"), /kind: HelmRelease/);
  });

  it("takes no push", async () => {
    const pushed = git(
      "-C",
      join(dir, "platform"),
      "push",
      `${server.url}/platform.git`,
      "main:refs/heads/other",
    );
    await assert.rejects(pushed);
    assert.equal(await hasBranch(join(dir, "root", "platform.git"), "other"), false);
  });

  it("gives the files of the chart folder, and nothing outside of it", async () => {
    const index = await fetch(`${server.url}/charts/index.yaml`);
    assert.equal(await index.text(), "entries: {}\n");
    assert.equal((await fetch(`${server.url}/charts/%2e%2e%2froot`)).status, 404);
    assert.equal((await fetch(`${server.url}/nothing.git/info/refs?service=git-upload-pack`)).status, 404);
  });
});

describe("the reviewer's repository", () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "reviewed-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it("says standalone until a pushed branch is merged; without one there is nothing to merge", async () => {
    const [checkout, bare] = [join(dir, "platform"), join(dir, "platform.git")];
    await makePlatformCheckout(checkout);
    await publish(checkout, bare);
    assert.equal(await mainSays(bare), "standalone");
    await assert.rejects(squashMerge(bare, "openbao-raft"));
  });
});

describe("what git http-backend is told and answers", () => {
  it("is told method, path, query and protocol, and no user: so that it takes no push", () => {
    const headers = { "git-protocol": "version=2", "content-type": "text/x", "content-length": "3" };
    const environment = cgiEnvironment(
      { method: "POST", url: "/p.git/git-upload-pack?a=b", headers },
      "/srv/of/it",
    );
    assert.equal(environment["PATH_INFO"], "/p.git/git-upload-pack");
    assert.equal(environment["QUERY_STRING"], "a=b");
    assert.equal(environment["GIT_PROTOCOL"], "version=2");
    assert.equal(environment["CONTENT_LENGTH"], "3");
    assert.equal(environment["REMOTE_USER"], undefined);
  });

  it("answers with headers, a status that may be missing, and a body of any bytes", () => {
    const answer = Buffer.concat([
      Buffer.from("Status: 404 Not Found\r\nX-A: b: c\r\n\r\n"),
      Buffer.from([0, 255]),
    ]);
    assert.deepEqual(cgiHead(answer), { status: 404, headers: { "x-a": "b: c" }, bodyAt: answer.length - 2 });
    assert.equal(cgiHead(Buffer.from("X-A: b\n\n"))?.status, 200);
    assert.equal(cgiHead(Buffer.from("Status: 404 Not Found\r\nX-A")), undefined);
  });
});
