import { AUTO_JOIN } from "../openBaoConfig/retryJoin";
import { fail, faults, notApplicable, pass, seen, seenObject, shortList, unclear, type Check } from "./check";
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
  {
    id: "raft-join",
    stage: "replicas",
    hazard: {
      ids: ["I29", "I30"],
      loss: "a follower starts and never joins: its config names no leader, or a Service that picks any pod",
    },
    severity: "block",
    waivable: true,
    observe: "retry_join in the rendered config of a source that is on Raft already",
    judge: ({ path, release, serverConfig }, config) => {
      const first = `${config.release}-0`;
      const expected = `retry_join with leader_api_addr of ${first}.${config.release}-internal, or ${AUTO_JOIN}`;
      if (path === "migrate") return notApplicable("the program writes retry_join");
      return seenObject(release, "the HelmRelease", expected, ({ mode }) => {
        if (mode !== "raft") return notApplicable("the program writes retry_join");
        return seen(serverConfig, expected, (server) => {
          if (server?.joins === undefined) return unclear("no Raft config was found", expected);
          const found = `retry_join names ${shortList(server.joins) || "nobody"}`;
          const fits = (host: string) => host === AUTO_JOIN || host.split(".")[0] === first;
          if (server.joins.some(fits)) return pass(found, expected);
          return server.joins.includes("?") ? unclear(found, expected) : fail(found, expected);
        });
      });
    },
    remedy:
      "add retry_join { leader_api_addr = ... } for each pod to server.ha.raft.config, and apply it beforehand",
    source: "openbao-helm values.yaml (its default names nobody); NVIDIA/nvcf#820; openbao#2975",
  },
];
