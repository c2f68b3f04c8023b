/** One row of the fault matrix: what breaks, and what breaks it here. Tests that name the row are found by its id. */
export interface FaultRow {
  readonly row: number;
  readonly fault: string;
  /** Faults of a campaign, as `--faults` takes them; the numbers are examples. */
  readonly campaign?: readonly string[];
  /** What breaks it besides: a rehearsal, a contract test that does not name the row. */
  readonly also?: string;
  /** What is not injected, and why. A row with nothing else is open. */
  readonly not?: string;
}

export const FAULT_ROWS: readonly FaultRow[] = [
  {
    row: 1,
    fault: "runner killed at a step's boundary",
    campaign: ["carry:1:before:hold", "run:kill:carry:1"],
  },
  {
    row: 2,
    fault: "runner killed before and after every mutating call",
    campaign: ["carry:2:before:kill", "carry:2:after:kill"],
  },
  { row: 3, fault: "SIGINT once", campaign: ["run:int-once:carry:1"] },
  { row: 4, fault: "SIGINT twice, SIGKILL", campaign: ["run:int-twice:carry:1", "run:kill:carry:1"] },
  { row: 5, fault: "Pulumi state lost", campaign: ["run:lost-state:carry:1"] },
  {
    row: 6,
    fault: "Pulumi state truncated, or an older one",
    campaign: ["run:old-state:carry:1"],
    not: "half a JSON file: Pulumi itself refuses it and names its backup; nothing of this program runs",
  },
  { row: 7, fault: "state with pending operations", campaign: ["carry:2:after:hold"] },
  { row: 8, fault: "two runs, same stack" },
  { row: 9, fault: "two runs, two backends" },
  { row: 10, fault: "stale lock, pulumi cancel while the other lives" },
  { row: 11, fault: "API server out of reach", campaign: ["proxy:cutover:refuse:1x3"] },
  {
    row: 12,
    fault: "API server answers 409, 429, 5xx",
    campaign: ["proxy:cutover:409:1", "proxy:cutover:429:1x3", "proxy:cutover:503:1"],
  },
  { row: 13, fault: "reply lost after success", campaign: ["proxy:cutover:lost:1", "carry:1:after:lost"] },
  {
    row: 14,
    fault: "stream cut in the middle",
    campaign: ["proxy:cutover:cut:1"],
    also: "no exec is used: it is a port-forward, or a watch",
  },
  {
    row: 15,
    fault: "stream cut in the reply of init",
    campaign: ["init:2:after:lost"],
    also: "with `--carry reseed`",
  },
  { row: 16, fault: "migrate Job SIGTERM", campaign: ["run:evict:carry:2"] },
  { row: 17, fault: "migrate Job SIGKILL, OOM" },
  {
    row: 18,
    fault: "power loss in the copy",
    not: "dropping unsynced pages needs LazyFS or dm-flakey, which a plain machine has not; the script test removes files after the copy instead",
  },
  { row: 19, fault: "destination holds Raft state" },
  { row: 20, fault: "zero-byte entry, .temp, stray file" },
  {
    row: 21,
    fault: "value larger than max_entry_size",
    not: "a raised limit on a server: the rehearsal's largest value is 900 KiB, under OpenBao's own limit",
  },
  { row: 22, fault: "second writer on the volume" },
  { row: 23, fault: "writes acknowledged just before the stop", also: "the client load of every run" },
  { row: 24, fault: "wrong unseal key" },
  { row: 25, fault: "key Secret missing, empty, placeholder" },
  { row: 26, fault: "key Secret overwritten midway" },
  { row: 27, fault: "token wrong, expired, too few rights" },
  { row: 28, fault: "snapshot truncated or changed" },
  { row: 29, fault: "snapshot of another generation" },
  { row: 30, fault: "old snapshot" },
  { row: 31, fault: "Velero backup partial or without the volume" },
  { row: 32, fault: "backup store full", not: "this program uploads nothing: its copy lies on the volume" },
  {
    row: 33,
    fault: "data volume full in the copy",
    campaign: ["world:data-full:carry:1"],
    also: "with --small-volumes; the gate's count is tested",
  },
  {
    row: 34,
    fault: "data volume full after the cutover",
    campaign: ["world:data-full:unseal-0:1", "world:data-full:follower-1:1"],
    also: "with --small-volumes; the alerts are tested",
  },
  {
    row: 35,
    fault: "audit volume full",
    also: "the alerts are tested, and step services asks each node for an audited request",
    not: "small volumes are made for the data only; a path that cannot be written (F36) is the same to a server that starts",
  },
  { row: 36, fault: "audit path unwritable", campaign: ["world:audit-off:flip:1", "world:audit-off:roll:1"] },
  { row: 37, fault: "volume does not attach" },
  { row: 38, fault: "volume deleted, reclaim policy Delete" },
  { row: 39, fault: "image pull failure, wrong version" },
  {
    row: 40,
    fault: "pod evicted in each gap",
    campaign: ["run:evict:flip:1", "run:evict:unseal-0:1", "world:drain:roll:1"],
  },
  {
    row: 41,
    fault: "node lost",
    campaign: ["world:net-node:follower-1:1", "world:drain:failover-drill:1"],
    not: "a power-off: a node here is a few processes on one machine, and its pods' processes live on; it is cut off from the network instead",
  },
  {
    row: 42,
    fault: "follower or leader lost in a join",
    campaign: ["run:evict:follower-1:1", "run:evict:follower-2:1"],
  },
  { row: 43, fault: "two of three lost after the cutover", campaign: ["run:evict:failover-drill:1"] },
  {
    row: 44,
    fault: "8201 blocked",
    campaign: [
      "world:net-8201:network-probe:1",
      "world:net-8201:follower-1:1",
      "world:net-8201-in:follower-1:1",
    ],
  },
  {
    row: 45,
    fault: "8200 blocked",
    campaign: ["world:net-8200:network-probe:1", "world:net-8200:follower-1:1"],
  },
  { row: 46, fault: "NetworkPolicy missing or late" },
  {
    row: 47,
    fault: "asymmetric partition of the leader",
    campaign: ["world:net-8201-in:failover-drill:1", "world:net-node:failover-drill:1"],
  },
  {
    row: 48,
    fault: "latency and loss between pods",
    campaign: ["world:net-loss:follower-1:1"],
    not: "latency: it needs the kernel's netem, which this kind of machine may lack; loss is done by nft",
  },
  { row: 49, fault: "DNS failure" },
  {
    row: 50,
    fault: "calls through the Service",
    also: "impossible by construction: every client is made for one pod by name",
  },
  { row: 51, fault: "init raced on two pods" },
  { row: 52, fault: "unseal before join" },
  { row: 53, fault: "Flux reconciles the old values midway" },
  { row: 54, fault: "HelmRelease upgrade fails" },
  { row: 55, fault: "immutable field changed" },
  { row: 56, fault: "values flip merged alone" },
  { row: 57, fault: "auto-init Job fires midway" },
  { row: 58, fault: "PDB blocks", campaign: ["world:drain:failover-drill:1"] },
  { row: 59, fault: "quota, policy, missing right" },
  {
    row: 60,
    fault: "clock skew",
    not: "the nodes' kernel is one, and time namespaces leave the wall clock alone: no two can differ; skew is tested with times of another clock",
  },
  { row: 61, fault: "TLS wrong" },
  { row: 62, fault: "hostile config" },
  { row: 63, fault: "hostile replies" },
  { row: 64, fault: "stale approval" },
  {
    row: 65,
    fault: "runner's disk full or read-only",
    also: "the e2e leak scan: no secret in a temporary file",
    not: "a full disk: the runner's folders lie on the machine's own disk, which is not filled",
  },
  { row: 66, fault: "program changed between stages" },
  {
    row: 67,
    fault: "rollback at each stage, killed",
    campaign: ["rollback-swap:1:after:kill", "run:kill:rollback-values:1"],
    also: "with `--rollback STAGE`",
  },
  {
    row: 68,
    fault: "migrate, back, write, migrate",
    campaign: ["run:served:flip:1"],
    also: "npm run rehearse -- --rollback STAGE",
  },
  { row: 69, fault: "landing in Git fails" },
  {
    row: 70,
    fault: "leader killed in a loop",
    also: "step failover-drill, once a run",
    not: "a hundred times, under load: no case yet",
  },
];
