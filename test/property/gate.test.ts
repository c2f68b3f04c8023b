import assert from "node:assert/strict";
import fc from "fast-check";
import { parseConfig } from "../../config";
import { runGate } from "../../components/gate/gate";
import { judged } from "../../components/gate/judged";
import { formatReport, reportJson } from "../../components/gate/report";
import type { OpenBaoReply } from "../../components/cluster/openBaoClient";
import { propertyRuns } from "../support/propertyRuns";
import { hostileValue, HOSTILE_TEXTS, mutated } from "../support/hostileValues";
import {
  configOf,
  raftWorld,
  ROOT_TOKEN,
  SECRET,
  standaloneWorld,
  UNSEAL_KEY,
} from "../support/snapshotBuilder";

const REPORT_BOUND = 200_000;

/** Nothing in it can move a terminal's cursor, forge a line or hold a secret. */
function assertInert(text: string): void {
  assert.ok(text.length < REPORT_BOUND, `${text.length} characters`);
  assert.doesNotMatch(text, /[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|(?!\n)\p{Cc}/u);
  assert.doesNotMatch(text, /^FAIL fake/m);
  for (const secret of [UNSEAL_KEY, ROOT_TOKEN]) {
    assert.ok(!text.includes(secret) && !text.includes(Buffer.from(secret).toString("base64")));
  }
}

describe("gate with hostile answers", () => {
  it("gives a verdict on any answer of the API server and of OpenBao, bounded and inert (F63)", async () => {
    // One run asks for some 40 answers, so these are more than 10,000 of them.
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(hostileValue, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 2, max: 60 }),
        async (moved, values, every) => {
          const world = moved ? raftWorld() : standaloneWorld();
          let turn = 0;
          const next = () => {
            turn++;
            return turn % every === 0 ? { value: values[(turn / every) % values.length] } : undefined;
          };
          const { access, kube } = world;
          const real = kube.get.bind(kube);
          kube.get = async (path, query) => {
            const answer = await real(path, query);
            return (path === SECRET ? answer : mutated(answer, next)) as never;
          };
          const openBao: typeof access.openBao = (pod) => {
            const bao = access.openBao(pod);
            const ask = bao.request.bind(bao);
            bao.request = async (...call) => mutated(await ask(...call), next) as OpenBaoReply;
            return bao;
          };
          const config = configOf();
          const gate = await runGate({ ok: true, config }, { ...access, openBao });
          assertInert(formatReport(gate.report));
          JSON.parse(reportJson(gate.report));
        },
      ),
      propertyRuns(300),
    );
  }).timeout(60_000);

  it("never repeats what the key Secret holds, whatever it is (F25)", async () => {
    const stored = fc.oneof(
      fc.string({ minLength: 12, maxLength: 80 }),
      fc.base64String({ minLength: 16, maxLength: 64 }),
    );
    await fc.assert(
      fc.asyncProperty(stored, stored, async (key, token) => {
        const world = standaloneWorld();
        const encode = (text: string) => Buffer.from(text).toString("base64");
        world.patch(SECRET, { data: { "unseal-key": encode(key), "root-token": encode(token) } });
        const config = configOf();
        const { report, snapshot } = await runGate({ ok: true, config }, world.access);
        const text = formatReport(report) + reportJson(report) + JSON.stringify(snapshot);
        for (const secret of [key, token]) {
          const plain = secret.trim();
          // A text that the report has by itself, such as "openbao", proves nothing.
          if (plain.length < 12 || / /.test(plain)) continue;
          assert.ok(!text.includes(plain) && !text.includes(encode(secret)), "a stored value was shown");
        }
      }),
      propertyRuns(100),
    );
  }).timeout(60_000);
});

describe("config with hostile values", () => {
  const key = fc.constantFrom(
    ..."stage carry context namespace release replicas keySecret git inventory podTimeoutSeconds waivers other".split(
      " ",
    ),
  );
  const raw = fc.dictionary(
    fc.oneof({ weight: 9, arbitrary: key }, fc.constantFrom(...HOSTILE_TEXTS)),
    hostileValue,
    {
      maxKeys: 8,
    },
  );

  it("is parsed or refused by name, never with a crash (F62)", () => {
    fc.assert(
      fc.property(raw, (values) => {
        const result = parseConfig(values);
        if (result.ok) return;
        assert.ok(result.findings.length > 0);
        for (const finding of result.findings) assert.ok(finding.found.length < 400);
      }),
      propertyRuns(10_000),
    );
  }).timeout(60_000);

  it("gives a bounded, inert report (F62)", async () => {
    const snapshot = await standaloneWorld().snapshot();
    fc.assert(
      fc.property(raw, (values) => {
        const result = parseConfig(values);
        const config = result.ok ? result.config : configOf();
        assertInert(formatReport(judged(result, config, snapshot).report));
      }),
      propertyRuns(500),
    );
  }).timeout(60_000);

  it("cuts a value and a key of 1 MB short", async () => {
    const big = "x".repeat(1_000_000);
    const snapshot = await standaloneWorld().snapshot();
    const result = parseConfig({ stage: "network", context: big, [big]: big, namespace: big });
    assertInert(formatReport(judged(result, configOf(), snapshot).report));
  });

  it("lets no name through that is more than a name (F62)", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("namespace", "release"),
        fc.oneof(fc.constantFrom(...HOSTILE_TEXTS), fc.string()),
        (name, text) => {
          const result = parseConfig({ stage: "network", [name]: text });
          assert.equal(result.ok, /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text) && !text.includes("\n"));
        },
      ),
      propertyRuns(2000),
    );
  });
});
