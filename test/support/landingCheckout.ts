import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LandPlan } from "../../components/land/landing";
import { makePlatformCheckout } from "../../rehearsal/source/platformCheckout";
import { HELM_RELEASE_FILE, VARIABLES_FILE } from "../../rehearsal/source/platformFiles";
import { gitIn } from "./gitTemplate";

let template: Promise<string> | undefined;

/** The platform's checkout is made once a process, and copied from then on: each process that git starts costs. */
async function madeOnce(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "landing-template-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  await makePlatformCheckout(folder);
  // Each commit would start another process, which asks whether there is anything to tidy up.
  execFileSync("git", ["-C", folder, "config", "maintenance.auto", "false"]);
  for (const empty of ["hooks", "info"]) mkdirSync(join(folder, ".git", empty));
  // One pack in place of a folder for each object.
  execFileSync("git", ["-C", folder, "repack", "-adq"]);
  return folder;
}

/** A checkout of the platform in a folder of its own, on branch main, with the plan that lands in it. */
export class LandingCheckout {
  private constructor(
    readonly dir: string,
    readonly plan: LandPlan,
  ) {}

  static async make(): Promise<LandingCheckout> {
    const from = await (template ??= madeOnce());
    const dir = mkdtempSync(join(tmpdir(), "landing-"));
    const checkout = join(dir, "platform");
    cpSync(from, checkout, { recursive: true });
    return new LandingCheckout(dir, {
      checkout,
      branch: "openbao-raft",
      helmRelease: HELM_RELEASE_FILE,
      variables: VARIABLES_FILE,
      replicasVariable: "openbao_replicas",
      release: "openbao",
      namespace: "openbao",
      replicas: 3,
    });
  }

  /** Path of the HelmRelease's file. */
  get release(): string {
    return join(this.plan.checkout, HELM_RELEASE_FILE);
  }

  git(...args: string[]): string {
    return gitIn(this.plan.checkout)(...args);
  }

  commitAll(): void {
    this.git("-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qam", "test");
  }

  read(file: string): string {
    return readFileSync(join(this.plan.checkout, file), "utf8");
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
