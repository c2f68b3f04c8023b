import { fail, faults, notApplicable, pass, seen, type Check } from "./check";
import { hasMoved } from "./progress";

const HOUR_MS = 3_600_000;

/** What the data paths besides migrate ask for. */
export const carryChecks: readonly Check[] = [
  {
    id: "snapshot-fresh",
    stage: "cutover",
    hazard: { ids: ["F30"], loss: "what was written since the snapshot is lost" },
    severity: "block",
    waivable: true,
    observe: "time of the snapshot at hand, as stage backup read it into the journal",
    judge: (snapshot, config) => {
      if (snapshot.path !== "restore-file") return notApplicable("no snapshot at hand is restored");
      if (hasMoved(snapshot)) return notApplicable("it is restored");
      const hours = config.snapshot?.maxAgeHours ?? 24;
      const expected = `a snapshot of the last ${hours} h`;
      return seen(snapshot.journal, expected, (entries) => {
        const read = entries.filter((one) => one.step === "snapshot" && one.beat === "done").at(-1);
        if (read === undefined) return notApplicable("stage backup has not read it yet");
        const taken = Date.parse(String(read.observed["createdAt"]));
        const age = (Date.parse(snapshot.takenAt) - taken) / HOUR_MS;
        const found = `taken ${age.toFixed(1)} h ago`;
        return age <= hours ? pass(found, expected) : fail(found, expected);
      });
    },
    remedy:
      "put a newer snapshot at openbao-migration:snapshot.file, or raise snapshot.maxAgeHours and say why",
    source: "hazards.md row 30",
  },
  {
    id: "reseed-templates",
    stage: "backup",
    hazard: { ids: ["I48"], loss: "the new store stays empty, because what fills it does not exist" },
    severity: "block",
    waivable: false,
    observe: "CronJobs and Jobs of the namespace by their names",
    judge: (snapshot, { reseed }) => {
      const expected = "each CronJob and Job that openbao-migration:reseed names";
      if (snapshot.path !== "reseed" || hasMoved(snapshot)) return notApplicable("nothing is reseeded");
      return seen(snapshot.cronJobs, expected, (cronJobs) =>
        seen(snapshot.jobs, expected, (jobs) => {
          const there = { CronJob: cronJobs.map((one) => one.name), Job: jobs.map((one) => one.name) };
          const wanted = reseed?.jobs ?? [];
          return faults(
            wanted
              .filter((one) => !there[one.kind].includes(one.name))
              .map((one) => `no ${one.kind} "${one.name}"`),
            `${wanted.length} template(s)`,
            expected,
          );
        }),
      );
    },
    remedy: "kubectl get cronjobs,jobs -n NAMESPACE; correct openbao-migration:reseed.jobs",
    source: "design.md, the data paths",
  },
];
