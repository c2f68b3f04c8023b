import { landFiles } from "../land/landPlan";
import { committedSays } from "../land/committedValues";
import type { StepContext } from "./runStep";
import { wantsRaft, type HelmRelease } from "./world";

const OWNER = "kustomize.toolkit.fluxcd.io/name";

/** Whether Flux may run again after a rollback: Git that asks for Raft would start an empty store (hazard I1). */
export interface GitProof {
  readonly standalone: boolean;
  readonly why: string;
}

/** Reads the checkout and asks its remote which commit is newest; throws nothing: what is not proved is not standalone. */
export async function gitProof(ctx: StepContext, release: HelmRelease): Promise<GitProof> {
  const { git, namespace, release: name } = ctx.input;
  if (release.metadata?.labels?.[OWNER] === undefined) {
    return { standalone: true, why: "no Kustomization writes the HelmRelease" };
  }
  if (git === undefined) {
    return {
      standalone: false,
      why: 'a Kustomization writes the HelmRelease, and "openbao-migration:git" names no checkout to look at; when Git says standalone, set it and run again, or resume by hand',
    };
  }
  try {
    const said = await committedSays({ ...git, ...landFiles(git), release: name, namespace });
    const raft = wantsRaft({ spec: { values: said.values } });
    return { standalone: !raft, why: `${said.from} says ${raft ? "Raft; revert that first" : "standalone"}` };
  } catch (error) {
    return { standalone: false, why: error instanceof Error ? error.message : String(error) };
  }
}
