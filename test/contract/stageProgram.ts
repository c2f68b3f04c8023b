import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT, readConfig } from "../../config";
import { passGate } from "../../components/gate/gate";
import { readRehearsal } from "../../components/gate/readRehearsal";
import { SECRET, standaloneWorld } from "../support/snapshotBuilder";

/** The program's own gate over a cluster in memory: stack "dev" exports a file's evidence, "prod" asks for it. */
async function program() {
  const at = (name: string) => join(process.cwd(), name);
  if (pulumi.getStack() === "dev") {
    return { evidence: JSON.parse(readFileSync(at("evidence.json"), "utf8")) as unknown };
  }
  const world = standaloneWorld();
  if (existsSync(at("moved"))) world.patch(SECRET, { metadata: { labels: { touched: "yes" } } });
  type Named = Parameters<typeof readRehearsal>[0];
  const named = new pulumi.Config(PROJECT).getObject<Partial<Named>>("rehearsal");
  try {
    const rehearsal = () => readRehearsal({ throwAway: false, ...named });
    await passGate(readConfig(), { ...world.access, now: new Date(), rehearsal });
    new local.Command("act", { create: "echo acted" });
  } catch (error) {
    await pulumi.log.error((error as Error).message);
    process.exitCode = 1;
  }
  return {};
}

export = program();
