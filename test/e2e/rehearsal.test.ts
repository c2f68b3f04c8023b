import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { STAGES } from "../../config";
import { kubeClient, loadKubeConfig } from "../../components/cluster/kubeClient";
import { readKeySecret } from "../../components/cluster/keySecret";
import { cacheDir } from "../../rehearsal/cache";
import { auditLogPath, kubeconfigPath, up } from "../../rehearsal/cluster/cluster";
import { followJobLogs } from "../../rehearsal/jobLogs";
import { changedNothing } from "../../rehearsal/move";
import { watchProcesses, type SeenWords } from "../../rehearsal/processWatch";
import { PulumiStack } from "../../rehearsal/pulumiStack";
import type { RunReport } from "../../rehearsal/report/runReport";
import { CANARY } from "../../rehearsal/source/content";
import { installSource, removeSource } from "../../rehearsal/source/install";
import { SOURCE_NAMESPACE } from "../../rehearsal/source/sourceCluster";
import { installCrds } from "../../rehearsal/standins/crds/installCrds";
import {
  startHelmController,
  type RunningHelmController,
} from "../../rehearsal/standins/helmController/start";
import { toolPath } from "../../rehearsal/tools/tools";
import { filesWith, forms, textsWith } from "../../rehearsal/leaks/leakScan";
import { objectsWith } from "../../rehearsal/leaks/leakedObjects";

const CHECKOUT = resolve(__dirname, "../..");
/** Folder of the rehearsal below: its backend holds the dev stack. */
let runDir = "";

/** The main job with a kill in each stage: what it proves is one test a claim. */
describe("the rehearsal, killed once in each stage and started again (hazards F1, F4, F7)", () => {
  let code = -1;
  let report: RunReport;

  let words: readonly SeenWords[] = [];
  let jobs: readonly string[] = [];

  before(async () => {
    ({ code, runDir, words, jobs } = await rehearse("--keys", "1000", "--kill"));
    report = JSON.parse(readFileSync(join(runDir, "report.json"), "utf8")) as RunReport;
  });

  it("ends with exit code 0", () => assert.equal(code, 0));

  it("took the dev stack through every stage in order", () => {
    assert.deepEqual(
      report.stages.map((stage) => stage.name),
      [...STAGES],
    );
  });

  for (const claim of [
    "three voters and one leader",
    "each server started to serve once",
    "one cluster id, the source's",
    "the carried Raft store equals the file storage, entry by entry",
    "no entry of the content inventory is lost or older",
    "the content digests before and after are equal",
    "the generated content is all there (checked without the program)",
    "every acknowledged write is readable",
    "a second pulumi up changes nothing",
    "the stack exports the evidence of every stage, bound to this run and plan",
  ]) {
    it(`proves: ${claim}`, () => {
      const found = report.claims.find((one) => one.claim === claim);
      assert.equal(found?.holds, true, found?.seen ?? "the report does not make this claim");
    });
  }

  it("initialised no second cluster: unseal-0 and each follower acted on one cluster id (hazards I2, F51)", () => {
    assert.equal(
      report.clusterId.after.split(", ").every((id) => id === report.clusterId.before),
      true,
    );
  });

  it("left no key, token or value in state, logs, report, temp files, Git, Job logs or the API server's audit log (hazards section 3)", async () => {
    assert.ok(jobs.length > 0, "no log of a Job was copied");
    assert.deepEqual(await leakedFiles(), []);
  });

  it("showed no key, token or value in an argument or environment of any process it started", async () => {
    for (const program of ["pulumi", "launch.mjs"])
      assert.ok(
        words.some(({ text }) => text.includes(program)),
        `no ${program} was seen`,
      );
    assert.deepEqual(textsWith([...(await keysOfSource()), ...MARKS], words), []);
  });

  it("left no key, token or value in what the cluster shows without rights on Secrets", async () => {
    assert.deepEqual(
      await objectsWith(
        [...(await keysOfSource()), ...MARKS],
        kubeClient(loadKubeConfig()),
        SOURCE_NAMESPACE,
      ),
      [],
    );
  });
});

/** Another store in the same namespace stands for the real one: its journal is another run's. */
describe("stack prod after that rehearsal (hazards F64, F66)", () => {
  let controller: RunningHelmController | undefined;
  let prod: PulumiStack;
  const run = (more: Readonly<Record<string, unknown>> = {}) =>
    prod
      .select("network", { rehearsal: { stack: "organization/openbao-migration/dev" }, ...more })
      .then(() => prod.preview());

  before(async () => {
    process.env["KUBECONFIG"] = kubeconfigPath();
    const config = loadKubeConfig();
    const kube = kubeClient(config);
    await installCrds(config);
    controller = await startHelmController(kubeconfigPath(), { helm: toolPath("helm") });
    await removeSource({ kube });
    await installSource({ keys: 30, seed: "prod", log: console.log, kube });
    prod = new PulumiStack({
      runDir,
      kubeconfig: kubeconfigPath(),
      stack: "prod",
      config: {},
      log: console.log,
    });
  });
  after(() => controller?.stop());

  it("is refused without a rehearsal's evidence, and told what to do", async () => {
    const { code, output } = await run({ rehearsal: {} });
    assert.notEqual(code, 0);
    assert.match(output, /rehearsal-evidence: found no rehearsal is named/);
  });

  it("is refused with another plan than the rehearsed one, and told the difference", async () => {
    const { code, output } = await run({ replicas: 5 });
    assert.notEqual(code, 0);
    assert.match(output, /replicas: rehearsed 3, here 5/);
  });

  it("goes through stage network by the dev stack's evidence, with no waiver", async () => {
    const { code, output } = await run();
    assert.equal(code, 0, output.slice(-3000));
    assert.match(output, /PASS +rehearsal-evidence +every +run [-0-9a-f]+ of stack \S+\/dev: /);
    assert.equal((await prod.up()).code, 0);
    assert.equal(changedNothing(await prod.up()), true);
  });

  it("shows no key, token or value at the highest verbosity, in stage backup, which holds them in memory", async () => {
    await prod.select("backup", { rehearsal: { stack: "organization/openbao-migration/dev" } });
    const messages = join(runDir, "prod-messages.json");
    const { code, output } = await prod.upVerbose(messages);
    assert.equal(code, 0, output.slice(-3000));
    assert.ok(statSync(messages).size > 0, "no message was written");
    assert.deepEqual(await leakedFiles(), []);
  });
});

/** The run's folder, and where its processes had their temporary files and their Jobs' logs. */
const SCANNED = () => [runDir, `${runDir}.tmp`, `${runDir}.jobs`].filter((folder) => existsSync(folder));

/** Every form of the mark that each generated value bears. */
const MARKS = forms(CANARY);

/** Every form of the source's unseal key and root token, and of the key in the kubeconfig, which opens both. */
async function keysOfSource(): Promise<string[]> {
  process.env["KUBECONFIG"] = kubeconfigPath();
  const ref = { name: "openbao-unseal", unsealKey: "unseal-key", rootToken: "root-token" };
  const keys = await readKeySecret(kubeClient(loadKubeConfig()), SOURCE_NAMESPACE, ref);
  const user = loadKubeConfig().getCurrentUser();
  const clientKey = Buffer.from(user?.keyData ?? "", "base64").toString("utf8");
  assert.match(clientKey, /PRIVATE KEY/);
  return [keys.unsealKey, keys.rootToken, clientKey].flatMap(forms);
}

/** tsx keeps compiled sources among the temporary files: they spell the mark themselves, so that only keys count there. */
async function leakedFiles(): Promise<string[]> {
  const places = [...SCANNED(), auditLogPath()];
  const marked = filesWith(MARKS, places).filter((file) => !/\/tsx-\d+\//.test(file));
  return [...filesWith(await keysOfSource(), places), ...marked];
}

interface Rehearsed {
  readonly code: number;
  readonly runDir: string;
  readonly words: readonly SeenWords[];
  readonly jobs: readonly string[];
}

/** A rehearsal with temporary files of its own, watched from outside: what it does and shows is as without a watch. */
async function rehearse(...args: string[]): Promise<Rehearsed> {
  await up(console.log);
  const mine = cacheDir("runs", `e2e-${Date.now()}`);
  mkdirSync(`${mine}.tmp`, { recursive: true, mode: 0o700 });
  const child = spawn(process.execPath, ["--import", "tsx", "rehearsal/rehearse.ts", ...args], {
    cwd: CHECKOUT,
    env: { ...process.env, TMPDIR: `${mine}.tmp` },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const watch = watchProcesses(child.pid ?? 0);
  process.env["KUBECONFIG"] = kubeconfigPath();
  const jobLogs = followJobLogs(kubeClient(loadKubeConfig()), SOURCE_NAMESPACE, `${mine}.jobs`);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
    process.stdout.write(chunk);
  });
  const code = await new Promise<number>((done, reject) => {
    child.on("error", reject);
    child.on("close", (status) => done(status ?? -1));
  });
  const [words, jobs] = [await watch.stop(), await jobLogs.stop()];
  const runFolder = /run folder: (.*)/.exec(output)?.[1] ?? "";
  for (const ending of ["tmp", "jobs"]) renameSync(`${mine}.${ending}`, `${runFolder}.${ending}`);
  return { code, runDir: runFolder, words, jobs };
}
