import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubeClient } from "../../components/cluster/kubeClient";
import { KubeConfig } from "../../components/cluster/kubernetesLibrary";
import { followJobLogs } from "../../rehearsal/jobLogs";

const PODS = "/api/v1/namespaces/openbao/pods";

/** An API server with one pod of a Job, whose log is whole from the start; counts who asks for what. */
async function apiServer() {
  const asked = { lists: 0, logs: 0 };
  const pod = { metadata: { name: "carry-x" }, status: { phase: "Running" } };
  let broken = 0;
  const server = createServer((request, response) => {
    request.resume();
    if (request.url?.startsWith(`${PODS}/carry-x/log`)) {
      asked.logs++;
      response.write("first\n");
      if (broken-- > 0) return void setImmediate(() => response.destroy());
      return void response.end("last\n");
    }
    asked.lists++;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ kind: "PodList", items: [pod] }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: "c", server: `http://127.0.0.1:${port}`, skipTLSVerify: true }],
    users: [{ name: "u" }],
    contexts: [{ name: "x", cluster: "c", user: "u" }],
    currentContext: "x",
  });
  const until = async (state: () => boolean): Promise<void> => {
    while (!state()) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  return {
    asked,
    kube: kubeClient(config),
    until,
    end: (breaks = 0) => {
      broken = breaks;
      pod.status.phase = "Succeeded";
    },
    stop: () => void (server.close(), server.closeAllConnections()),
  };
}

describe("the copies of the Jobs' logs (leak scan, hazards section 3)", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "job-logs-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("asks once more for the log of a Job that has ended, not until the end of the run", async () => {
    const api = await apiServer();
    try {
      const logs = followJobLogs(api.kube, "openbao", folder);
      await api.until(() => api.asked.logs >= 2);
      api.end();
      const { logs: before, lists } = api.asked;
      await api.until(() => api.asked.lists >= lists + 6);
      assert.ok(api.asked.logs - before <= 2, `${api.asked.logs - before} requests after the Job's end`);
      assert.deepEqual(await logs.stop(), ["carry-x"]);
      assert.match(readFileSync(join(folder, "carry-x.log"), "utf8"), /first\nlast\n$/);
    } finally {
      api.stop();
    }
  });

  it("reads on where the last stream broke", async () => {
    const api = await apiServer();
    try {
      api.end(2);
      const logs = followJobLogs(api.kube, "openbao", folder);
      await api.until(() => api.asked.logs >= 3);
      await logs.stop();
      assert.match(readFileSync(join(folder, "carry-x.log"), "utf8"), /first\nlast\n$/);
    } finally {
      api.stop();
    }
  });
});
