import type { PlantedHazard } from "./plantedHazards";
import { BATCH } from "./snapshotBuilder";

const job = (container: object) => ({ template: { spec: { containers: [container] } } });
const initialises = (title: string, container: object): PlantedHazard => ({
  check: "init-jobs",
  title: `${title} (I2)`,
  plant: ({ kube }) =>
    kube.put(`${BATCH}/cronjobs/boot`, {
      spec: { schedule: "0 * * * *", jobTemplate: { spec: job(container) } },
    }),
  found: /CronJob boot/,
});

/** What an audit of the gate found to slip through. */
export const auditHazards: readonly PlantedHazard[] = [
  initialises("an init as a list of words", { command: ["bao", "operator", "init"] }),
  initialises("an init split between command and args", { command: ["bao"], args: ["operator", "init"] }),
  initialises("an init beside a question for its status", {
    command: ["sh", "-c", "bao operator init -key-shares=1; bao operator init -status"],
  }),
  {
    check: "snapshot-jobs",
    title: "a snapshot of file storage as a list of words (H2)",
    plant: ({ kube }) =>
      kube.put(`${BATCH}/cronjobs/snap`, {
        spec: {
          schedule: "30 3 * * *",
          suspend: true,
          jobTemplate: { spec: job({ command: ["bao"], args: ["operator", "raft", "snapshot", "save", "/s"] }) },
        },
      }),
    found: /CronJob snap/,
  },
];
