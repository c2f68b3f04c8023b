import type { PlantedHazard } from "./plantedHazards";
import { BATCH, NS, raftWorld, usage } from "./snapshotBuilder";

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
  {
    check: "data-room",
    title: "room for one and a half copies, which step file-copy refuses (F33)",
    plant: ({ kube }) =>
      kube.answer("get", "/api/v1/nodes/node-0/proxy/stats/summary", () => ({
        pods: [{ volume: [usage("data-openbao-0", 6.5), usage("audit-openbao-0", 8)] }],
      })),
    found: /6\.50 GiB free, 8\.81 GiB needed/,
  },
  {
    check: "audit-room",
    title: "an audit volume of a running pod that nobody measured (I34)",
    world: raftWorld,
    plant: ({ kube }) =>
      kube.answer("get", "/api/v1/nodes/node-1/proxy/stats/summary", () => ({ pods: [] })),
    found: /^no figures for audit-openbao-1$/,
  },
  {
    check: "quota-room",
    title: "a quota that is used beyond its bound (F59)",
    plant: ({ kube }) =>
      kube.put(`${NS}/resourcequotas/pods`, { status: { hard: { pods: "5" }, used: { pods: "6" } } }),
    found: /pods: pods/,
  },
  {
    check: "quota-room",
    title: "a quota that is used up in another unit (F59)",
    plant: ({ kube }) =>
      kube.put(`${NS}/resourcequotas/memory`, {
        status: { hard: { "limits.memory": "4Gi" }, used: { "limits.memory": "4096Mi" } },
      }),
    found: /memory: limits\.memory/,
  },
];
