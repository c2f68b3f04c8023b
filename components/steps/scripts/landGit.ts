// Before: the move is verified; the live HelmRelease asks for Raft with all replicas.
// After: the Git checkout says the same, on the branch from the config; nothing is pushed.
import { land, type LandPlan } from "../../land/landing";
import { LandRefusal } from "../../land/landRefusal";
import { joinTrust } from "../../openBaoConfig/retryJoin";
import { OWNED_VALUES } from "../../openBaoConfig/targetValues";
import { differenceLine, valueDifferences } from "../../land/valueDifferences";
import { main, Refused, type Facts, type Step, type StepContext } from "../runStep";
import { observeWorld } from "../world";

let facts: Facts = {};

export const landGit: Step = {
  id: "land-git",

  async observe(ctx) {
    const verified = await ctx.journal.done("services");
    if (verified === undefined)
      return { state: "refuse", hazard: "F69", why: "stage verify is not done; it comes before land" };
    // The checkout is looked at each time: another runner may hold another clone.
    return { state: "todo", observed: {} };
  },

  async act(ctx) {
    try {
      const result = await land(landPlan(ctx));
      const { release } = await observeWorld(ctx);
      const differences = valueDifferences(result.values, release.spec?.values ?? {}, OWNED_VALUES);
      if (differences.length > 0) {
        throw new Refused(
          `Git and the live HelmRelease differ: ${differences.slice(0, 10).map(differenceLine).join("; ")}. Expected none: make the file on the branch say what is live [F69]`,
          "F69",
        );
      }
      facts = { branch: result.branch, commits: result.commits, head: result.head };
    } catch (error) {
      if (error instanceof LandRefusal) throw new Refused(`${error.message} [F69]`, "F69");
      throw error;
    }
  },

  verify() {
    return Promise.resolve(facts);
  },
};

function landPlan(ctx: StepContext): LandPlan {
  const { git, release, namespace, replicas, talos } = ctx.input;
  if (git === undefined) {
    throw new Refused('the config names no Git checkout; set "openbao-migration:git" [F69]', "F69");
  }
  const { talosPatch, ...files } = git;
  return {
    ...files,
    release,
    namespace,
    replicas,
    ...joinTrust(ctx.input.tls),
    ...(talosPatch !== undefined &&
      talos !== undefined && { talos: { file: talosPatch, nodeSubnets: talos.nodeSubnets } }),
  };
}

if (require.main === module) main(landGit);
