import { checks } from "../../components/gate/checks";
import { judged } from "../../components/gate/judged";
import { blocks } from "../../components/gate/report";
import { configOf, type World } from "./snapshotBuilder";

/** What the gate says of one check in a world, among all checks. @param values of the config, over the usual ones */
export async function gateRow(world: World, id: string, values: Record<string, unknown> = {}) {
  const config = configOf(values);
  const { report } = judged({ ok: true, config }, config, await world.snapshot(config), checks);
  const row = report.rows.find(({ check }) => check.id === id)!;
  return { outcome: row.outcome, found: row.judgement.found, blocked: blocks(report) };
}
