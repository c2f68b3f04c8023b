import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { FAILPOINT, RECORD_CALLS, REACHED } from "../../components/cluster/failpoint";
import type { KubeClient, KubeObject } from "../../components/cluster/kubeClient";
import { scale, statefulSetsPath } from "../../components/steps/world";
import type { FaultProxy } from "../../rehearsal/faultProxy";
import { killRun } from "../../rehearsal/killRun";
import type { PulumiRun, PulumiStack } from "../../rehearsal/pulumiStack";
import { SOURCE_NAMESPACE } from "../../rehearsal/source/sourceCluster";
import { parseRecord } from "./chooseFaults";
import { faultText, type Fault, type RunFault } from "./fault";
import { untilReady } from "./podReady";
import { WorldBreaker, type WorldDeeds } from "./worldBreaker";

/** A run whose fault lasts longer than this has hung, which is a failure of its own. */
const FAULT_SECONDS = 900;
/** Between two interrupts, as a person's. */
const SECOND_INTERRUPT_MS = 700;

/** What a fault is done with. */
export interface Breaker {
  readonly stack: PulumiStack;
  readonly runDir: string;
  readonly proxy: FaultProxy;
  /** Straight to the API server. */
  readonly kube: KubeClient;
  /** @default the real ones */
  readonly world?: WorldDeeds;
}

export interface BrokenRun {
  readonly run: PulumiRun;
  /** False when the run did not come to the fault. */
  readonly reached: boolean;
}

/** One `pulumi up` with one fault in it. @throws Error when it hangs */
export function breakRun(breaker: Breaker, fault: Fault): Promise<BrokenRun> {
  if (fault.kind === "proxy") return throughProxy(breaker, fault);
  if (fault.kind === "world") return withWorldFault(breaker, fault);
  return fault.kind === "run" ? withRunFault(breaker, fault) : withFailpoint(breaker, fault);
}

async function throughProxy(
  { stack, proxy }: Breaker,
  fault: Extract<Fault, { kind: "proxy" }>,
): Promise<BrokenRun> {
  proxy.arm(fault.fault);
  try {
    const run = await bounded(stack.startUp(), fault);
    return { run, reached: proxy.hit().length > 0 };
  } finally {
    proxy.arm(undefined);
  }
}

async function withFailpoint(
  { stack, runDir }: Breaker,
  fault: Extract<Fault, { kind: "failpoint" }>,
): Promise<BrokenRun> {
  const marker = join(runDir, "failpoint-reached");
  rmSync(marker, { force: true });
  const started = stack.startUp({ [FAILPOINT]: faultText(fault), [REACHED]: marker });
  const held = () => fault.point.what === "hold" && existsSync(marker);
  const kill = () => Promise.resolve(killRun(started.child));
  const run = await bounded(started, fault, once(held, kill));
  return { run, reached: existsSync(marker) };
}

async function withRunFault(breaker: Breaker, fault: Extract<Fault, { kind: "run" }>): Promise<BrokenRun> {
  const { started, arrived } = startRecorded(breaker, fault);
  let reached = false;
  const due = () => (reached ||= arrived());
  const run = await bounded(
    started,
    fault,
    once(due, () => act(breaker, started.child, fault.what)),
  );
  if (reached && fault.what === "lost-state") await breaker.stack.loseState();
  if (reached && fault.what === "old-state") breaker.stack.takeOldState();
  return { run, reached };
}

async function withWorldFault(
  breaker: Breaker,
  fault: Extract<Fault, { kind: "world" }>,
): Promise<BrokenRun> {
  const world = new WorldBreaker(breaker.kube, fault.what, breaker.world);
  const { started, arrived } = startRecorded(breaker, fault);
  try {
    const run = await bounded(started, fault, () => world.tick(arrived()));
    return { run, reached: world.broken };
  } finally {
    await world.heal();
  }
}

/** A run that tells its calls, so that a fault comes at one of them. */
function startRecorded(
  { stack, runDir }: Breaker,
  { step, call }: { readonly step: string; readonly call: number },
) {
  const record = join(runDir, "calls-now");
  rmSync(record, { force: true });
  const started = stack.startUp({ [RECORD_CALLS]: record });
  return { started, arrived: () => hasCall(record, step, call) };
}

async function act({ kube }: Breaker, child: Parameters<typeof killRun>[0], what: RunFault): Promise<void> {
  if (what === "evict") return await evict(kube);
  if (!what.startsWith("int-")) killRun(child);
  if (what === "served") return await serveAgain(kube);
  if (!what.startsWith("int-")) return;
  interrupt(child);
  if (what === "int-once") return;
  await delay(SECOND_INTERRUPT_MS);
  interrupt(child);
}

/** The whole group, as a terminal's Ctrl-C. */
function interrupt(child: Parameters<typeof killRun>[0]): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    process.kill(-child.pid, "SIGINT");
  } catch {
    // It has ended by itself meanwhile.
  }
}

/** The server's pods and those of Jobs; the client load is no part of the move. */
async function evict(kube: KubeClient): Promise<void> {
  const path = `/api/v1/namespaces/${SOURCE_NAMESPACE}/pods`;
  for (const pod of await kube.list<KubeObject>(path)) {
    // Whichever is gone meanwhile needs no eviction.
    await kube.remove(`${path}/${pod.metadata?.name ?? ""}`).catch(() => undefined);
  }
}

/** As whoever is on call brings a service back. Elsewhere than in the outage there is nothing to bring back. */
async function serveAgain(kube: KubeClient): Promise<void> {
  const set = await kube.get<KubeObject & { spec?: { replicas?: number } }>(
    `${statefulSetsPath(SOURCE_NAMESPACE)}/openbao`,
  );
  if (set.spec?.replicas !== 0) return;
  await scale(kube, SOURCE_NAMESPACE, "openbao", 1);
  await untilReady(kube, "openbao-0", "openbao-0, started by hand, to be Ready");
}

function hasCall(record: string, step: string, call: number): boolean {
  if (!existsSync(record)) return false;
  return parseRecord(readFileSync(record, "utf8")).some((one) => one.step === step && one.call === call);
}

/** Does `deed` the first time that `due` says true. */
function once(due: () => boolean, deed: () => Promise<void>): () => Promise<void> {
  let done = false;
  return async () => {
    if (done || !due()) return;
    done = true;
    await deed();
  };
}

/** Waits for the run's end, and calls `tick` again and again until then. A run outlives no failure of `tick`. */
async function bounded(
  started: ReturnType<PulumiStack["startUp"]>,
  fault: Fault,
  tick: () => Promise<void> = () => Promise.resolve(),
): Promise<PulumiRun> {
  const end = Date.now() + FAULT_SECONDS * 1000;
  let ended: PulumiRun | undefined;
  void started.done.then((run) => (ended = run));
  try {
    while (ended === undefined && Date.now() < end) {
      await tick();
      await delay(50);
    }
  } catch (error) {
    killRun(started.child);
    await started.done;
    throw error;
  }
  if (ended !== undefined) return ended;
  killRun(started.child);
  const killed = await started.done;
  throw new Error(`${faultText(fault)}: the run hung for ${FAULT_SECONDS} s:\n${killed.output.slice(-1500)}`);
}
