import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { cgiEnvironment, cgiHead } from "./httpBackend";

const CHARTS = "/charts/";

export interface GitServer {
  /** Such as http://127.0.0.1:41234. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Serves the bare repositories below `root` by Git's smart HTTP protocol, read-only, and the files of `charts` as a
 * Helm repository; on a free port of the loopback, until stopped.
 */
export async function startGitServer(root: string, charts: string): Promise<GitServer> {
  const server = createServer((request, response) => {
    if (request.url?.startsWith(CHARTS) === true) serveChart(charts, request.url, response);
    else serveGit(root, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function serveChart(charts: string, url: string, response: ServerResponse): void {
  // The name only: no path leads out of the folder.
  const file = join(charts, basename(url));
  response.writeHead(existsSync(file) ? 200 : 404);
  response.end(existsSync(file) ? readFileSync(file) : "");
}

/** No REMOTE_USER is set, so http-backend refuses every push. */
function serveGit(root: string, request: IncomingMessage, response: ServerResponse): void {
  const { method = "GET", url = "/", headers } = request;
  const child = spawn("git", ["http-backend"], {
    env: { PATH: process.env["PATH"], ...cgiEnvironment({ method, url, headers }, root) },
    stdio: ["pipe", "pipe", "ignore"],
  });
  let head = Buffer.alloc(0);
  let begun = false;
  child.stdout.on("data", (chunk: Buffer) => {
    if (begun) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const read = cgiHead(head);
    if (read === undefined) return;
    begun = true;
    response.writeHead(read.status, read.headers);
    response.write(head.subarray(read.bodyAt));
  });
  child.on("error", () => response.writeHead(500).end());
  child.on("close", () => {
    if (!begun && !response.headersSent) response.writeHead(500);
    response.end();
  });
  response.on("close", () => child.kill());
  child.stdin.on("error", () => undefined);
  request.pipe(child.stdin);
}
