import { STAGES, type MigrationConfig } from "../../config";
import type { Evidence } from "../evidence/evidence";
import { planDifferences } from "../evidence/planDigest";
import { REHEARSAL_LABEL } from "../evidence/rehearsalLabel";
import { fail, faults, notApplicable, pass, seen, seenObject, type Check, type Judgement } from "./check";
import { timeOf } from "./fields";
import { valueOr } from "./observed";
import { planPartsOf, unresolved } from "./planParts";
import { cutoverIsUnderWay, isDone, observedStage, replicasAreUnderWay } from "./progress";
import type { ClusterSnapshot } from "./snapshot";

const HOUR_MS = 3_600_000;
/** Clocks of two machines may differ by this much (hazard F60). */
const CLOCK_TOLERANCE_MS = 600_000;

/** That this very plan was seen to work elsewhere before. */
export const rehearsalChecks: readonly Check[] = [
  {
    id: "rehearsal-evidence",
    stage: "every",
    hazard: {
      ids: ["F64", "F66"],
      loss: "a plan that nobody has seen work meets the only copy of the secrets",
    },
    severity: "block",
    waivable: true,
    observe: `stack output "evidence" of rehearsal.stack, against this plan; or, with rehearsal.throwAway, the label ${REHEARSAL_LABEL} of the namespace`,
    judge: (snapshot, config) => {
      const expected = `each stage up to ${config.stage} passed by rehearsal.stack with this plan, at most ${config.rehearsal.maxAgeHours} h ago`;
      return seen(snapshot.rehearsal, expected, (view) => {
        // Whoever is in the middle must get out of it: an earlier run was let through.
        if (cutoverIsUnderWay(snapshot)) return notApplicable("the cutover is under way");
        if (replicasAreUnderWay(snapshot)) return notApplicable("the replicas are being added");
        const observed = observedStage(snapshot);
        const needed = STAGES.filter(
          (stage) => STAGES.indexOf(stage) <= STAGES.indexOf(config.stage) && !isDone(observed, stage),
        );
        if (needed.length === 0) return notApplicable(`stage ${config.stage} is done`);
        if (view === undefined) return judgeThrowAway(snapshot, config);
        if ("fault" in view) return fail(view.fault, expected);
        const { stack, evidence } = view;
        if (evidence.runId === valueOr(snapshot.runId, undefined)) {
          return fail(`run ${evidence.runId} of stack ${stack} is the run of this very cluster`, expected);
        }
        const wrong = needed.flatMap((stage) => stageFaults(evidence, stage, snapshot, config));
        const good = `run ${evidence.runId} of stack ${stack}: ${needed.join(", ")}`;
        return wrong.length === 0 ? pass(good, expected) : faults([...new Set(wrong)], good, expected);
      });
    },
    remedy:
      "with this checkout, chart and version: npm run rehearse -- --backend URL, where URL is this stack's backend (pulumi whoami -v), or pulumi up of the rehearsal's stack in that backend; pulumi config set --path openbao-migration:rehearsal.stack organization/openbao-migration/dev",
    source: "issue 4; docs/adr/0005-evidence-and-bound-plans.md",
  },
];

/** The config alone could be production's, copied from the rehearsal's: the cluster has to say it too. */
function judgeThrowAway(snapshot: ClusterSnapshot, config: MigrationConfig): Judgement {
  const expected = `rehearsal.stack; or, where all may be lost, the label ${REHEARSAL_LABEL}=true on the namespace`;
  return seenObject(snapshot.namespace, "the namespace", expected, ({ labels }) =>
    labels[REHEARSAL_LABEL] === "true"
      ? notApplicable("this stack is the rehearsal, and its namespace says so")
      : fail(
          `rehearsal.throwAway is true, and namespace "${config.namespace}" does not say that it may be thrown away`,
          expected,
        ),
  );
}

function stageFaults(
  evidence: Evidence,
  stage: (typeof STAGES)[number],
  snapshot: ClusterSnapshot,
  config: MigrationConfig,
): string[] {
  const one = evidence.stages[stage];
  if (one === undefined) return [`stage ${stage} was not passed in run ${evidence.runId}`];
  const age = (timeOf(snapshot.takenAt) ?? 0) - Date.parse(one.passedAt);
  const old =
    age > config.rehearsal.maxAgeHours * HOUR_MS
      ? [`stage ${stage} was passed ${Math.floor(age / HOUR_MS)} h ago`]
      : [];
  const early =
    age < -CLOCK_TOLERANCE_MS ? [`stage ${stage} was passed in the future (${one.passedAt})`] : [];
  const here = planPartsOf(snapshot, config);
  return [...old, ...early, ...unresolved(here), ...planDifferences(one.plan, here)];
}
