import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { API_PORT, HOST_ADDRESS } from "./layout";
import { pkiFile } from "./pki";

/** The few calls that bringing up a cluster needs; lighter to load than a full client. */
export class Api {
  readonly #agent: Agent;

  constructor() {
    this.#agent = new Agent({
      keepAlive: true,
      ca: readFileSync(pkiFile("ca.crt")),
      cert: readFileSync(pkiFile("admin.crt")),
      key: readFileSync(pkiFile("admin.key")),
    });
  }

  /** @throws on a status other than 2xx, or no answer within 10 s. */
  async get<T>(path: string): Promise<T> {
    return JSON.parse(await this.text("GET", path)) as T;
  }

  /** Server-side apply of one object at its own path. */
  async apply(path: string, object: object): Promise<void> {
    const query = "?fieldManager=rehearsal-cluster&force=true";
    await this.text("PATCH", path + query, JSON.stringify(object), "application/apply-patch+yaml");
  }

  /** The answer's body. */
  text(method: string, path: string, body?: string, contentType = "application/json"): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { "content-type": contentType };
      const options = {
        host: HOST_ADDRESS,
        port: API_PORT,
        method,
        path,
        headers,
        agent: this.#agent,
        timeout: 10_000,
      };
      const call = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          const status = response.statusCode ?? 0;
          if (status >= 200 && status < 300) resolve(text);
          else reject(new Error(`${method} ${path} answered ${status}: ${text.slice(0, 400)}`));
        });
      });
      call.on("timeout", () => call.destroy(new Error(`${method} ${path}: no answer within 10 s`)));
      call.on("error", reject);
      call.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
