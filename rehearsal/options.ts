import { parseArgs } from "node:util";
import { CARRIES } from "../components/carryConfig";
import { DELIVERIES } from "../components/delivery/releaseReader";
import { STAGES, type Stage } from "../config";
import { backendFault } from "./backend";
import { HOOKS } from "./source/platformFiles";

const BEFORE_LAND: readonly Stage[] = STAGES.slice(0, STAGES.indexOf("land"));

export interface RehearsalOptions {
  /** KV entries of the source. */
  readonly keys: number;
  readonly seed: string;
  /** Context of a cluster of the user's own; then no cluster is made. */
  readonly context?: string;
  /** URL of the Pulumi backend that gets the stack. @default one of this run */
  readonly backend?: string;
  /** Remove the throw-away cluster at the end. */
  readonly down: boolean;
  /** The data path; all but migrate start from a source on Raft with one node. */
  readonly carry: (typeof CARRIES)[number];
  /** The source's own unseal hook. */
  readonly hook: (typeof HOOKS)[number];
  /** Who applies the chart: Flux's stand-in, or Helm itself. */
  readonly delivery: (typeof DELIVERIES)[number];
  /** Kill the run once in each stage, and start it again. */
  readonly kill: boolean;
  /** Go to this stage, take the move back, and move again. @default no way back */
  readonly rollback?: Stage;
  /** Flux's own source-controller and kustomize-controller bring the source from a Git server of this machine. */
  readonly flux: boolean;
  /** After stage land, remove the old file storage. */
  readonly cleanup: boolean;
  /** The source's listener has TLS, with a CA of its own. */
  readonly tls: boolean;
  /** Keep the new keys of a reseed in Git, encrypted by the real sops. */
  readonly sops: boolean;
}

export const USAGE = `npm run rehearse -- [options]
  --keys N        KV entries of the source (default 1000, at most 200000)
  --seed S        same seed, same content (default 1)
  --context NAME  use this context of your own kubeconfig instead of the throw-away cluster
  --backend URL   keep stack dev in this Pulumi backend, where production reads its evidence (file:///FOLDER, s3://...)
  --carry PATH    migrate (default), restore, reseed or none; all but migrate start from a source on Raft
  --hook H        the source's unseal hook: retry (default, two minutes) or once, which makes the run shorter
  --delivery WHO  flux (default), or helm: the source is a plain Helm release
  --tls           the source's listener has TLS; its clients and the stack trust its CA
  --kill          kill the run once in each stage and start it again
  --rollback S    go to stage S (before land), take the move back, and move again to the end
  --cleanup       after stage land, remove the old file storage, and look whether it is gone
  --flux          let Flux's own controllers bring it all from Git (builds them once: 30 minutes on two cores)
  --sops          with --carry reseed: keep the new keys in Git, encrypted by SOPS (builds sops once: 10 minutes)
  --down          remove the throw-away cluster at the end (default: leave it up)`;

const FLAGS = {
  keys: { type: "string", default: "1000" },
  seed: { type: "string", default: "1" },
  context: { type: "string" },
  backend: { type: "string" },
  carry: { type: "string", default: "migrate" },
  hook: { type: "string", default: "retry" },
  delivery: { type: "string", default: "flux" },
  kill: { type: "boolean", default: false },
  rollback: { type: "string" },
  cleanup: { type: "boolean", default: false },
  flux: { type: "boolean", default: false },
  tls: { type: "boolean", default: false },
  sops: { type: "boolean", default: false },
  down: { type: "boolean", default: false },
} as const;

/** @throws Error that names each wrong option. */
export function parseOptions(args: readonly string[]): RehearsalOptions {
  const faults: string[] = [];
  const values = valuesOf(args);
  const oneOf = <T extends string>(flag: string, value: string, allowed: readonly T[]): T | undefined => {
    const found = allowed.find((one) => one === value);
    if (found === undefined)
      faults.push(`--${flag} ${JSON.stringify(value)}: expected one of ${allowed.join(", ")}`);
    return found;
  };
  const { keys, carry, hook, delivery, rollback, ...others } = values;
  const read = {
    ...others,
    keys: Number(keys),
    // The default of a wrong one is never used: the fault is thrown.
    carry: oneOf("carry", carry, CARRIES) ?? "migrate",
    hook: oneOf("hook", hook, HOOKS) ?? "retry",
    delivery: oneOf("delivery", delivery, DELIVERIES) ?? "flux",
    ...(rollback !== undefined && { rollback: oneOf("rollback", rollback, BEFORE_LAND) }),
  };
  if (!/^\d+$/.test(keys) || read.keys < 10 || read.keys > 200_000)
    faults.push(`--keys ${JSON.stringify(keys)}: expected a whole number from 10 to 200000`);
  if (!/^[-\w]{1,40}$/.test(read.seed))
    faults.push(`--seed ${JSON.stringify(read.seed)}: expected 1 to 40 letters, digits, "_" or "-"`);
  const backend = read.backend === undefined ? undefined : backendFault(read.backend);
  if (backend !== undefined) faults.push(`--backend: ${backend}`);
  faults.push(...clashes(read));
  if (faults.length > 0) throw new Error([...faults, USAGE].join("\n"));
  return read;
}

/** @throws Error for an option that is not known, or that lacks its value. */
function valuesOf(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS }).values;
  } catch (cause) {
    throw new Error(`${cause instanceof Error ? cause.message : String(cause)}\n${USAGE}`, { cause });
  }
}

/** Options that do not go together. */
function clashes({
  carry,
  rollback,
  delivery,
  context,
  tls,
  cleanup,
  flux,
  sops,
}: RehearsalOptions): string[] {
  const faults: string[] = [];
  if (rollback !== undefined && carry !== "migrate") {
    faults.push(
      `--rollback ${rollback} with --carry ${carry}: only carry migrate can be taken back; leave one of the two out`,
    );
  }
  if (tls && carry === "reseed")
    faults.push("--tls with --carry reseed: the Job that fills the new store talks no TLS");
  if (cleanup && (carry !== "migrate" || context !== undefined)) {
    faults.push(
      `--cleanup with --carry ${carry}${context === undefined ? "" : " and --context"}: it is for carry migrate, and looks at a volume of the throw-away cluster`,
    );
  }
  if (
    flux &&
    (context !== undefined || carry !== "migrate" || rollback !== undefined || delivery === "helm")
  ) {
    faults.push(
      "--flux with --context, --carry, --rollback or --delivery helm: it is for the throw-away cluster and the way forward of carry migrate",
    );
  }
  if (sops && carry !== "reseed")
    faults.push(`--sops with --carry ${carry}: only a reseed makes new keys; leave one of the two out`);
  return faults;
}
