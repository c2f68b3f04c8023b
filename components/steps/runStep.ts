import { loadKubeConfig, kubeClient, KubeError, type KubeClient } from "../cluster/kubeClient";
import { armFailpoint } from "../cluster/failpoint";
import { Journal } from "../cluster/journal";
import { readKeySecret, type HeldKeys } from "../cluster/keySecret";
import { LeaseHeld, runIdentity, withLease, type Fence } from "../cluster/lease";
import type { OpenBao } from "../cluster/openBaoClient";
import { openBaoInPod } from "../cluster/openBaoStatus";
import { programDigest } from "../evidence/programDigest";
import { whilePaused, type StillPaused } from "./pauseWatch";
import { readStepInput, type StepInput } from "./stepInput";
import { assertMayWait } from "./waitGuard";

export type Facts = Readonly<Record<string, unknown>>;

/** What a step sees before it acts. */
export type Observation =
  | { readonly state: "done"; readonly observed: Facts }
  | { readonly state: "todo"; readonly observed: Facts }
  | { readonly state: "refuse"; readonly why: string; readonly hazard: string };

/** One one-time step: the five beats of design.md rule 2, the third being the "refuse" of observe. */
export interface Step {
  /** Name of the script. The journal takes the plan's id: one script may serve several steps, as each follower's does. */
  readonly id: string;
  /** True when Flux must stay paused from before the act to the end of verify; it is watched (hazard F53). @default false */
  readonly needsPause?: boolean;
  observe(ctx: StepContext): Promise<Observation>;
  /** Acts once. Calls ctx.fence.assertHeld() before anything that cannot be taken back. */
  act(ctx: StepContext): Promise<void>;
  /** Bounded wait for the wanted state; gives the facts that prove it. @throws Error when it does not come. */
  verify(ctx: StepContext): Promise<Facts>;
}

export interface StepContext {
  readonly input: StepInput;
  readonly kube: KubeClient;
  readonly journal: Journal;
  readonly fence: Fence;
  /** OpenBao of one pod; one connection pool a pod. */
  bao(pod: string): OpenBao;
  /** The held keys, read into memory at the first call. */
  keys(): Promise<HeldKeys>;
  /** Progress for people, on standard error. */
  log(message: string): void;
}

/** A finding that stops the step before it acts, or in the middle with nothing half done. */
export class Refused extends Error {
  override readonly name = "Refused";
  constructor(
    message: string,
    readonly hazard: string,
  ) {
    super(message);
  }
}

/** After its report a step has this long to let go of its connections, in milliseconds. */
const EXIT_MS = 2_000;

export const EXIT = { done: 0, unexpected: 1, refused: 10, timedOut: 11 } as const;

/** Entry point of launch.mjs: runs the step, prints one JSON line, and sets the exit code. */
export function main(step: Step): void {
  const started = Date.now();
  // Until the step's end is reported, a process that runs out of work has failed.
  process.exitCode = EXIT.unexpected;
  run(step)
    .then(
      (result) => report({ step: step.id, ...result, seconds: (Date.now() - started) / 1000 }, EXIT.done),
      (error: unknown) => {
        const code = exitCodeOf(error);
        const why = error instanceof Error ? error.message : String(error);
        report({ step: step.id, result: code === EXIT.refused ? "refused" : "failed", why }, code);
      },
    )
    .catch(() => undefined);
}

async function run(step: Step): Promise<{ result: string; observed: Facts }> {
  const input = readStepInput(process.env);
  armFailpoint(input.step);
  const kube = kubeClient(loadKubeConfig(input.context));
  return withLease(kube, input.namespace, runIdentity(), async (fence) => {
    const pods = new Map<string, OpenBao>();
    const journal = new Journal(kube, input.namespace, fence.holder, programDigest());
    try {
      const result = await runBeats(step, context(input, kube, journal, fence, pods));
      if (result.result === "already-done") await noteFound(journal, input.step, result.observed);
      return result;
    } catch (error) {
      const beat = error instanceof Refused ? "refused" : "failed";
      await journal
        .append({ step: input.step, beat, observed: { why: (error as Error).message } })
        .catch(() => undefined);
      throw error;
    } finally {
      for (const bao of pods.values()) bao.close();
    }
  });
}

/** The beats in their order; exported for tests, which bring their own context. */
export async function runBeats(step: Step, ctx: StepContext): Promise<{ result: string; observed: Facts }> {
  const seen = await step.observe(ctx);
  if (seen.state === "refuse") throw new Refused(`${seen.why} [${seen.hazard}]`, seen.hazard);
  if (seen.state === "done") return { result: "already-done", observed: seen.observed };
  await ctx.fence.assertHeld();
  if (step.needsPause !== true) return acted(step, ctx, seen.observed, () => Promise.resolve());
  return whilePaused(ctx, (watched, stillPaused) => acted(step, watched, seen.observed, stillPaused));
}

async function acted(
  step: Step,
  ctx: StepContext,
  before: Facts,
  stillPaused: StillPaused,
): Promise<{ result: string; observed: Facts }> {
  await stillPaused();
  await ctx.journal.append({ step: ctx.input.step, beat: "act", observed: before });
  await step.act(ctx);
  await stillPaused();
  const observed = await step.verify(ctx);
  assertMayWait();
  await ctx.journal.append({ step: ctx.input.step, beat: "done", observed });
  return { result: "done", observed };
}

/** The evidence asks who did a step: one whose work was found done after a kill is told once, as such. */
async function noteFound(journal: Journal, step: string, observed: Facts): Promise<void> {
  const told = (await journal.entries()).some(
    (entry) => entry.step === step && ["done", "found"].includes(entry.beat),
  );
  if (!told) await journal.append({ step, beat: "found", observed });
}

function context(
  input: StepInput,
  kube: KubeClient,
  journal: Journal,
  fence: Fence,
  pods: Map<string, OpenBao>,
): StepContext {
  let keys: Promise<HeldKeys> | undefined;
  return {
    input,
    kube,
    journal,
    fence,
    bao(pod) {
      const open = pods.get(pod) ?? openBaoInPod(kube, input, pod);
      pods.set(pod, open);
      return open;
    },
    keys: () => (keys ??= readKeySecret(kube, input.namespace, input.keySecret)),
    log: (message) => void process.stderr.write(`${input.step}: ${message}\n`),
  };
}

function exitCodeOf(error: unknown): number {
  if (error instanceof Refused || error instanceof LeaseHeld) return EXIT.refused;
  if (error instanceof KubeError && error.reason === "Timeout") return EXIT.timedOut;
  return EXIT.unexpected;
}

function report(line: object, code: number): void {
  process.exitCode = code;
  process.stdout.write(`${JSON.stringify(line)}\n`, () => {
    // All is said: what a broken connection still holds open must not hold Pulumi.
    setTimeout(() => process.exit(), EXIT_MS).unref();
  });
}
