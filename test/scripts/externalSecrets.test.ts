import assert from "node:assert/strict";
import { Refused, runBeats, type StepContext } from "../../components/steps/runStep";
import { externalSecrets, FORCE_SYNC } from "../../components/steps/scripts/externalSecrets";
import { StepWorld } from "../support/stepContext";

const OLD = "2026-11-24T09:00:00Z";
const SAMPLE = { namespace: "apps", name: "db" };

interface Status {
  refreshTime?: string;
  syncedResourceVersion?: string;
  conditions?: object[];
}

function status(refreshTime: string, ready = "True", syncedResourceVersion = "1-b"): Status {
  const reason = ready === "True" ? "SecretSynced" : "SecretSyncedError";
  return { refreshTime, syncedResourceVersion, conditions: [{ type: "Ready", status: ready, reason }] };
}

/** A world whose operator answers the annotation by `after` (undefined: there is no operator). */
function world(after: Status | undefined, version = "v1") {
  const { kube, context } = new StepWorld("external-secrets");
  const path = `/apis/external-secrets.io/${version}/namespaces/apps/externalsecrets/db`;
  kube.put(path, { spec: {}, status: status(OLD, "True", "1-a") });
  kube.onWrite((write) => {
    if (write.path === path && write.verb === "mergePatch" && after !== undefined)
      kube.put(path, { ...kube.peek<object>(path), status: after });
  });
  const ctx: StepContext = {
    ...context,
    input: { ...context.input, podTimeoutSeconds: 0.3, externalSecrets: [SAMPLE] },
  };
  return { kube, path, ctx };
}

describe("step external-secrets (hazards I7, I9)", () => {
  for (const version of ["v1", "v1beta1"]) {
    it(`forces a read and waits for it, where ${version} is served`, async () => {
      const { kube, path, ctx } = world(status("2026-11-24T09:05:00Z"), version);
      const { observed } = await runBeats(externalSecrets, ctx);
      assert.deepEqual(observed, { refreshed: ["apps/db"] });
      const annotations = kube.peek<{ metadata: { annotations: Record<string, string> } }>(path)!.metadata
        .annotations;
      assert.match(annotations[FORCE_SYNC] ?? "", /^\d+$/);
    });
  }

  it("takes a read within the same second for a new one by syncedResourceVersion", async () => {
    await runBeats(externalSecrets, world(status(OLD)).ctx);
  });

  it("goes by refreshTime where the operator gives no syncedResourceVersion", async () => {
    const { refreshTime, conditions } = status("2026-11-24T09:05:00Z");
    await runBeats(externalSecrets, world({ refreshTime: refreshTime!, conditions: conditions! }).ctx);
    const same = world({ refreshTime: OLD, conditions: conditions! });
    await assert.rejects(runBeats(externalSecrets, same.ctx), /waited 0\.3 s/);
  });

  it("changes nothing but the annotation", async () => {
    const { kube, path, ctx } = world(status("2026-11-24T09:05:00Z"));
    await runBeats(externalSecrets, ctx);
    const writes = kube.writes.filter((write) => write.path === path);
    assert.deepEqual(
      writes.map(({ body }) =>
        Object.keys((body as { metadata: { annotations: object } }).metadata.annotations),
      ),
      [[FORCE_SYNC]],
    );
  });

  for (const [title, after, seen] of [
    ["there is no operator", undefined, /Ready True \(SecretSynced\), refreshTime 2026-11-24T09:00:00Z/],
    ["the read failed", status("2026-11-24T09:05:00Z", "False"), /Ready False \(SecretSyncedError\)/],
    ["an older read is shown", status("2026-11-24T08:00:00Z"), /refreshTime 2026-11-24T08:00:00Z/],
    [
      "a read of before the annotation comes in",
      status("2026-11-24T09:05:00Z", "True", "1-a"),
      /refreshTime 2026-11-24T09:05:00Z/,
    ],
  ] as const) {
    it(`waits in bounds and says what it saw when ${title}`, async () => {
      await assert.rejects(runBeats(externalSecrets, world(after).ctx), (error: Error) => {
        assert.match(error.message, /waited 0\.3 s for ExternalSecret apps\/db to be Ready after a new read/);
        assert.match(error.message, seen);
        return true;
      });
    });
  }

  it("refuses a sample that is not there, before it touches the others", async () => {
    const { kube, ctx } = world(status("2026-11-24T09:05:00Z"));
    const input = { ...ctx.input, externalSecrets: [SAMPLE, { namespace: "apps", name: "gone" }] };
    await assert.rejects(runBeats(externalSecrets, { ...ctx, input }), (error: unknown) => {
      assert.ok(error instanceof Refused);
      assert.match(error.message, /no ExternalSecret apps\/gone/);
      return true;
    });
    assert.deepEqual(kube.writes, []);
  });

  it("is done once each sample of the config was read, and not for a new one", async () => {
    const { kube, ctx } = world(status("2026-11-24T09:05:00Z"));
    await runBeats(externalSecrets, ctx);
    assert.equal((await runBeats(externalSecrets, ctx)).result, "already-done");
    const other = "/apis/external-secrets.io/v1/namespaces/apps/externalsecrets/other";
    kube.put(other, { status: status(OLD, "True", "1-a") });
    kube.onWrite((write) => {
      if (write.path === other) kube.put(other, { status: status("2026-11-24T09:06:00Z") });
    });
    const more = { ...ctx.input, externalSecrets: [SAMPLE, { namespace: "apps", name: "other" }] };
    kube.onWrite((write) => {
      if (write.path.endsWith("/db") && write.verb === "mergePatch")
        kube.put(write.path, { status: status("2026-11-24T09:07:00Z", "True", "1-c") });
    });
    assert.equal((await runBeats(externalSecrets, { ...ctx, input: more })).result, "done");
  });
});
