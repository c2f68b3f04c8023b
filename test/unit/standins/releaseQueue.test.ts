import assert from "node:assert/strict";
import type { HelmRelease } from "../../../rehearsal/standins/helmController/helmRelease";
import { ReleaseQueue } from "../../../rehearsal/standins/helmController/releaseQueue";

const release = (generation: number, name = "openbao"): HelmRelease => ({
  metadata: { name, namespace: "vault", generation, resourceVersion: "1" },
  spec: { interval: "1m" },
});

describe("helm-controller stand-in: queue", () => {
  it("never runs two passes over one release at a time, and adds one for a change while one runs", async () => {
    let running = 0;
    let most = 0;
    let passes = 0;
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const twice = new Promise<void>((resolve) => {
      const queue = new ReleaseQueue(
        async () => {
          most = Math.max(most, ++running);
          passes += 1;
          if (passes === 1) {
            queue.changed(release(2));
            queue.changed(release(3));
            open();
          }
          await gate;
          running -= 1;
          if (passes === 2) resolve();
          return { kind: "wait" };
        },
        () => undefined,
      );
      queue.changed(release(1));
    });
    await twice;
    assert.deepEqual([most, passes], [1, 2]);
  });

  it("does nothing for a change of the status alone, and waits for a running pass when stopped", async () => {
    let passes = 0;
    let finished = false;
    const started = new Promise<ReleaseQueue>((resolve) => {
      const queue: ReleaseQueue = new ReleaseQueue(
        async () => {
          passes += 1;
          resolve(queue);
          await new Promise((next) => setImmediate(next));
          finished = true;
          return { kind: "after", ms: 0 };
        },
        () => undefined,
      );
      queue.changed(release(1));
      queue.changed(release(1));
    });
    await (await started).stop();
    assert.deepEqual([passes, finished], [1, true]);
  });

  it("tries again after an error of the API server and logs it", async () => {
    const lines: string[] = [];
    let passes = 0;
    await new Promise<void>((resolve) => {
      const queue = new ReleaseQueue(
        () => {
          passes += 1;
          if (passes === 1) return Promise.reject(new Error("connection refused"));
          resolve();
          return Promise.resolve({ kind: "wait" });
        },
        (line) => lines.push(line),
        1,
      );
      queue.changed(release(1));
    });
    assert.deepEqual([passes, lines], [2, ["vault/openbao: connection refused"]]);
  });
});
