import { existsSync, lstatSync, realpathSync } from "node:fs";
import { join, normalize, sep } from "node:path";
import { git, gitRaw } from "./git";
import { helmReleaseEdit } from "./helmReleaseEdit";
import { refusal, type LandRefusal } from "./landRefusal";
import { talosEdit } from "./talosEdit";
import { variablesEdit } from "./variablesEdit";

/** What is to land, and where. */
export interface LandPlan {
  /** Folder of the checkout; relative to the working folder, or absolute. */
  readonly checkout: string;
  /** Branch that gets the commits; made from the current commit when it is not there. */
  readonly branch: string;
  /** File of the HelmRelease, inside the checkout. */
  readonly helmRelease: string;
  /** True when that file holds a release's values alone, for Helm itself. @default false */
  readonly plainValues?: boolean;
  /** File of the variables ConfigMap, inside the checkout. @default none: the number is written */
  readonly variables?: string;
  readonly replicasVariable: string;
  readonly release: string;
  readonly namespace: string;
  readonly replicas: number;
  /** File of Talos patches and the subnets that its rule lets in. @default none is written */
  readonly talos?: { readonly file: string; readonly nodeSubnets: readonly string[] };
  /** CA file in the pod for a TLS listener. @default the listener's tls_client_ca_file */
  readonly leaderCaCertFile?: string;
  /** Name in the leader's certificate. @default each node's own name */
  readonly leaderServerName?: string;
}

/** The files of the config as a plan knows them. */
export function landFiles(git: {
  readonly helmRelease?: string | undefined;
  readonly values?: string | undefined;
}): Pick<LandPlan, "helmRelease" | "plainValues"> {
  return git.values === undefined
    ? { helmRelease: git.helmRelease ?? "" }
    : { helmRelease: git.values, plainValues: true };
}

/** One theme's edit of one file. */
export interface Edit {
  readonly file: string;
  readonly subject: string;
  readonly change: (text: string) => string;
}

/** The files that the change set would change in a commit; writes nothing. */
export async function filesToChange(checkout: string, plan: LandPlan, ref: string): Promise<string[]> {
  const texts = new Map<string, string>();
  const files = new Set<string>();
  for (const { file, change } of editsOf(plan)) {
    const before = texts.get(file) ?? (await committed(checkout, ref, file));
    const text = change(before);
    texts.set(file, text);
    if (text !== before) files.add(file);
  }
  return [...files];
}

/** A tree holds a link as an entry of its own mode, so no path read here leads out of the checkout. */
export async function committed(checkout: string, ref: string, file: string): Promise<string> {
  const path = normalize(file);
  const entry = await git(checkout, "--literal-pathspecs", "ls-tree", ref, "--", path).catch(() => "");
  if (!/^100\d{3} blob /.test(entry)) throw noFile(file);
  return await gitRaw(checkout, "show", `${ref}:./${path}`);
}

export function editsOf(plan: LandPlan): Edit[] {
  const { variables, replicasVariable, ...rest } = plan;
  const release: Edit = {
    file: plan.helmRelease,
    subject: `feat(openbao): run on Raft with ${plan.replicas} nodes`,
    change: (text) =>
      helmReleaseEdit(text, {
        file: rest.helmRelease,
        release: rest.release,
        namespace: rest.namespace,
        replicas: rest.replicas,
        ...(rest.plainValues === true && { plainValues: true }),
        ...(variables !== undefined && { replicasVariable }),
        ...(rest.leaderCaCertFile !== undefined && { leaderCaCertFile: rest.leaderCaCertFile }),
        ...(rest.leaderServerName !== undefined && { leaderServerName: rest.leaderServerName }),
      }),
  };
  const talos = plan.talos === undefined ? [] : [talosRuleEdit(plan.talos)];
  if (variables === undefined) return [...talos, release];
  const count: Edit = {
    file: variables,
    subject: `feat(openbao): ask for ${plan.replicas} replicas`,
    change: (text) =>
      variablesEdit(text, { file: variables, variable: replicasVariable, value: String(plan.replicas) }),
  };
  // The count first: at no commit does Git ask for Raft with one node while three run, which would cost the quorum.
  return [...talos, count, release];
}

function talosRuleEdit({ file, nodeSubnets }: NonNullable<LandPlan["talos"]>): Edit {
  return {
    file,
    subject: "feat(talos): let nodes reach nodes on OpenBao's Raft ports",
    change: (text) => talosEdit(text, { file, nodeSubnets }),
  };
}

/** A link could lead out of the checkout. */
export function assertInside(checkout: string, file: string): void {
  const path = join(checkout, file);
  if (!existsSync(path) || !lstatSync(path).isFile()) throw noFile(file);
  if (!realpathSync(path).startsWith(realpathSync(checkout) + sep)) {
    throw refusal(file, "a path that leads out of the checkout", "a file inside it", "name the real file");
  }
}

function noFile(file: string): LandRefusal {
  return refusal(file, "no such file in the checkout", "the file named in the config", "correct its path");
}
