import { setTimeout as delay } from "node:timers/promises";
import type { KubeClient, KubeObject } from "../../components/cluster/kubeClient";
import { KubeError } from "../../components/cluster/kubeClient";
import { Journal } from "../../components/cluster/journal";
import { streaming, type OpenBao, type StreamingOpenBao } from "../../components/cluster/openBaoClient";
import { runBeats, type Step, type StepContext } from "../../components/steps/runStep";
import { waitingUnder } from "../../components/steps/waitGuard";
import { APPLYING_ANNOTATION, PAUSED_ANNOTATION } from "../../components/steps/world";

/** What a run of one step showed of its fence. */
export interface FencedRun {
  /** Calls of assertHeld, by where they stand: `steps/scripts/stop.ts:72`. */
  readonly fences: string[];
  /** Writes that cannot be taken back, in their order. */
  readonly writes: string[];
  /** Those that no look at the Lease in the step's own act stood before, or only one with a wait in between. */
  readonly unfenced: string[];
  /** Those that came after the Lease was found lost. */
  readonly afterLoss: string[];
  readonly error: unknown;
}

/** After so many looks a wait that nothing ends in a test's world is over. */
const LOOKS = 5;
export const LOST = "lost the Lease";

type Kind = "act" | "cleanup" | "none";
interface Write {
  readonly verb: string;
  readonly path: string;
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string>>;
}

/**
 * Runs the step to its end, or to that of a wait which nothing ends in this world.
 * @param lostFrom from this call of assertHeld on the Lease is another run's
 * @param outside how often another program, such as helm, has acted
 */
export async function fencedRun(
  step: Step,
  context: StepContext,
  lostFrom = Infinity,
  outside: () => number = () => 0,
): Promise<FencedRun> {
  const [fences, writes, unfenced, afterLoss]: string[][] = [[], [], [], []];
  const made = new Set<string>();
  let [acts, held, own, looks, lost] = [false, false, false, LOOKS, false];
  let seenOutside = outside();
  /** Looks since the last write or look at the Lease. */
  let all = 0;

  /** @param inLook a key is given by the looks of a wait for it to open. */
  const write = (name: string, kind: Kind, inLook = false) => {
    if (kind === "none") return;
    all = 0;
    writes!.push(name);
    const fresh = held || (inLook && looks < LOOKS);
    if (!fresh || (kind === "act" && acts && !own)) unfenced!.push(name);
    if (lost && kind === "act") afterLoss!.push(name);
  };
  /** What was done by another program, such as helm, since the last event. */
  const settleOutside = () => {
    const now = outside();
    for (; seenOutside < now; seenOutside++) write("an act of another program", "act");
  };
  const waited = () => {
    settleOutside();
    held = false;
    looks = LOOKS;
  };

  const fence: StepContext["fence"] = {
    ...context.fence,
    assertHeld() {
      settleOutside();
      all = 0;
      fences!.push(callerOf(new Error().stack ?? ""));
      if (fences!.length >= lostFrom) lost = true;
      if (lost) return Promise.reject(new Error(LOST));
      [held, own, looks] = [true, own || acts, 0];
      return Promise.resolve();
    },
  };
  /** Each look of `until` asks whether it may still wait. */
  const signal = {
    throwIfAborted() {
      settleOutside();
      looks = held ? 1 : looks + 1;
      held = false;
      if (++all > LOOKS) throw new KubeError("no test's wait lasts longer", 0, "Timeout");
    },
  } as AbortSignal;
  const onWrite = (one: Write) => {
    settleOutside();
    write(`${one.verb} ${one.path}`, kindOf(one, made));
    if (one.verb === "create") made.add(`${one.path}/${(one.body as KubeObject).metadata?.name}`);
  };
  const kube = watchedKube(context.kube, onWrite, waited);
  const bao = (pod: string): StreamingOpenBao =>
    watchedBao(context.bao(pod), (method, path) => {
      const unseals = path === "/v1/sys/unseal";
      // A copy that a Job serves is of this run alone.
      const asks = /^(PUT|POST|DELETE)$/.test(method) && !READS.test(path) && /^openbao-\d+$/.test(pod);
      write(`${method} ${path}`, asks ? "act" : "none", unseals);
    });
  const journal = new Journal(kube, context.input.namespace, context.fence.holder);
  const marked: Step = {
    ...step,
    // The watch has tests of its own, and waits under a guard of its own, which would stand in for this one.
    needsPause: false,
    act: (ctx) => {
      if (!held) unfenced!.push("the act");
      [acts, own] = [true, false];
      return step.act(ctx);
    },
  };
  let error: unknown;
  await waitingUnder(signal, () => runBeats(marked, { ...context, kube, bao, journal, fence })).catch(
    (caught: unknown) => (error = caught),
  );
  settleOutside();
  // What was not awaited would write into the next run.
  await delay(0);
  return { fences: fences!, writes: writes!, unfenced: unfenced!, afterLoss: afterLoss!, error };
}

/** Questions that are asked with a body. */
const READS = /\/(capabilities-self|decrypt\/[^/]+|lookup)$/;

/**
 * What can be taken back, or is guarded by itself, needs no look at the Lease of its own: ConfigMaps (the journal and a
 * Job's files; the claim of the init has its precondition), a probe's pods, and a controller asked to look again.
 */
function kindOf({ verb, path, body, query }: Write, made: ReadonlySet<string>): Kind {
  const name = (body as KubeObject | undefined)?.metadata?.name ?? path.split("/").at(-1) ?? "";
  if (query?.["dryRun"] !== undefined || /\/(configmaps|leases)(\/|$)/.test(path)) return "none";
  if (/^openbao-raft-probe-/.test(name)) return "none";
  if (/source\.toolkit\.fluxcd\.io|external-secrets\.io/.test(path)) return "none";
  // Made once, never overwritten: of two runs' one wins, and both read it back.
  if (verb === "create" && name === "openbao-raft-migration-inventory-key") return "none";
  // Its own opening of the release, which it knows by its mark.
  if (verb === "mergePatch" && closesAgain(body)) return "none";
  if (verb !== "remove" || !path.includes("/jobs/")) return "act";
  // Another run's Job must not go by a stale one; its own is removed also on the way out.
  return made.has(path) ? "none" : "cleanup";
}

function closesAgain(body: unknown): boolean {
  const { metadata, spec } = body as KubeObject & { spec?: { suspend?: boolean } };
  const marks = metadata?.annotations ?? {};
  return spec?.suspend === true && APPLYING_ANNOTATION in marks && !(PAUSED_ANNOTATION in marks);
}

function watchedKube(kube: KubeClient, onWrite: (one: Write) => void, waited: () => void): KubeClient {
  const watched = Object.create(kube) as KubeClient;
  watched.create = (path, body, query) => {
    onWrite({ verb: "create", path, body, ...(query && { query }) });
    return kube.create(path, body, query);
  };
  watched.replace = (path, body) => {
    onWrite({ verb: "replace", path, body });
    return kube.replace(path, body);
  };
  watched.mergePatch = (path, body, query) => {
    onWrite({ verb: "mergePatch", path, body, ...(query && { query }) });
    return kube.mergePatch(path, body, query);
  };
  watched.remove = (path, body) => {
    onWrite({ verb: "remove", path });
    return kube.remove(path, body);
  };
  watched.waitFor = async (collection, which, done, options) => {
    waited();
    return kube.waitFor(collection, which, done, { ...options, timeoutSeconds: 0 });
  };
  return watched;
}

function watchedBao(bao: OpenBao, onRequest: (method: string, path: string) => void): StreamingOpenBao {
  return {
    where: bao.where,
    close: () => bao.close(),
    request(method, path, call) {
      onRequest(method, path);
      return bao.request(method, path, call);
    },
    stream(method, path, call) {
      onRequest(method, path);
      return streaming(bao).stream(method, path, call);
    },
  };
}

/** The place in components/ that called assertHeld. */
function callerOf(stack: string): string {
  const line = stack.split("\n").find((one) => one.includes("/components/"));
  return /components\/(.*?:\d+)/.exec(line ?? "")?.[1] ?? stack;
}
