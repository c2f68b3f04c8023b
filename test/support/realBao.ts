import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openBaoAt, type StreamingOpenBao } from "../../components/cluster/openBaoClient";
import { health, sealStatusIfUp } from "../../components/cluster/openBaoStatus";
import { toolPath } from "../../rehearsal/tools/tools";

/** The real server on loopback, on Raft storage in a folder; ended by its own pid. */
export class RealBao {
  readonly data: string;
  private process: ChildProcess | undefined;
  private client: StreamingOpenBao | undefined;

  constructor(
    readonly folder: string,
    readonly nodeId = "openbao-0",
  ) {
    this.data = join(folder, "data");
    mkdirSync(this.data, { recursive: true });
  }

  get bao(): StreamingOpenBao {
    if (this.client === undefined) throw new Error("the server is not started");
    return this.client;
  }

  /** @param config server config in place of the plain one; its ports are PORT and CLUSTER_PORT. */
  async start(config?: string): Promise<void> {
    const [port, clusterPort] = [await freePort(), await freePort()];
    const text = (config ?? PLAIN)
      .replaceAll("CLUSTER_PORT", String(clusterPort))
      .replaceAll("PORT", String(port))
      .replaceAll("DATA", this.data)
      .replaceAll("NODE", this.nodeId);
    const file = join(this.folder, "server.hcl");
    writeFileSync(file, text);
    this.process = spawn(toolPath("bao"), ["server", `-config=${file}`], { stdio: "ignore" });
    this.client = openBaoAt(`http://127.0.0.1:${port}`);
    for (let i = 0; i < 150; i++) {
      if ((await sealStatusIfUp(this.bao)) !== undefined) return;
      await delay(200);
    }
    throw new Error("the server gave no answer within 30 s");
  }

  async active(): Promise<void> {
    for (let i = 0; i < 150; i++) {
      if ((await health(this.bao)) === 200) return;
      await delay(200);
    }
    throw new Error("the server was not active within 30 s");
  }

  async stop(): Promise<void> {
    this.client?.close();
    const child = this.process;
    this.process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}

/** Raft storage and one plain listener; PORT, CLUSTER_PORT, DATA and NODE are filled in by `start`. */
export const PLAIN = `
listener "tcp" {
  address = "127.0.0.1:PORT"
  cluster_address = "127.0.0.1:CLUSTER_PORT"
  tls_disable = 1
}
storage "raft" {
  path = "DATA"
  node_id = "NODE"
}
api_addr = "http://127.0.0.1:PORT"
cluster_addr = "https://127.0.0.1:CLUSTER_PORT"
`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
