/** A known bug, our guard against it, and the test that has to turn red once the guard is gone. */
export interface Control {
  /** As the fault matrix names it (hazards.md, the line under section 2). */
  readonly bug: string;
  readonly says: string;
  /** File of the guard. */
  readonly guard: string;
  /** Its text, once in that file. */
  readonly find: string;
  /** What stands there when the guard is gone. */
  readonly by: string;
  readonly test: string;
  /** Title of a test that fails then. */
  readonly red: RegExp;
}

const GATE = "test/unit/gateChecks.test.ts";
const CARRY = "components/steps/jobs/carry.sh";
const CARRY_TEST = "test/scripts/carry.test.ts";

/** In the order of the fault matrix; the test holds the list of bugs. */
export const CONTROLS: readonly Control[] = [
  {
    bug: "#1965",
    says: "a key given through the Service reaches whichever pod answers",
    guard: "components/steps/unsealing.ts",
    find: "await unseal(ctx.bao(pod), unsealKey);",
    by: "await unseal(ctx.bao(ctx.input.release), unsealKey);",
    test: "test/scripts/unsealing.test.ts",
    red: /gives the key to that pod by its own name/,
  },
  {
    bug: "#1964",
    says: "clients of the plain Service reach sealed pods",
    guard: "components/gate/networkChecks.ts",
    find: 'return hosts.includes(host.replace(/\\.cluster\\.local$/, ""));',
    by: "return false;",
    test: GATE,
    red: /^gate checks plain-service-clients finds a store/,
  },
  {
    bug: "#1982",
    says: "a second deploy source takes the values back in mid-move",
    guard: "components/steps/pauseWatch.ts",
    find: "if (why === undefined) return;",
    by: "return;",
    test: "test/scripts/pauseWatch.test.ts",
    red: /stops step stop before it scales/,
  },
  {
    bug: "#1982",
    says: "a server starts empty, and an init overwrites the keys",
    guard: "components/steps/scripts/roll.ts",
    find: "if (empty && !(await mayBeEmpty(ctx))) return emptyStore(ctx.input.release);",
    by: "",
    test: "test/scripts/refusals.test.ts",
    red: /roll: the Raft store is empty and is never initialised over the data/,
  },
  {
    bug: "#1985",
    says: "8201 is closed, and no follower joins",
    guard: "components/gate/networkChecks.ts",
    find: 'return fail(`closed: ${ports.closed.join(", ")}`, expected);',
    by: 'return pass("open", expected);',
    test: GATE,
    red: /^gate checks raft-ports finds/,
  },
  {
    bug: "#1996",
    says: "the newest backup is PartiallyFailed",
    guard: "components/gate/backupChecks.ts",
    find: 'if (newest.phase !== "Completed") return fail(`${newest.name} is ${newest.phase}`, expected);',
    by: "",
    test: GATE,
    red: /^gate checks velero-backup finds a backup that is PartiallyFailed/,
  },
  {
    bug: "#2028",
    says: "two disruption budgets on one pod: no drain ever ends",
    guard: "components/gate/fluxChecks.ts",
    find: "const fits = mine.length === 0 || (mine.length === 1 && mine[0] === release);",
    by: "const fits = true;",
    test: GATE,
    red: /^gate checks one-disruption-budget finds two budgets/,
  },
  {
    bug: "openbao#2466",
    says: "2.5.0 cannot unseal what it migrated",
    guard: "components/gate/versionChecks.ts",
    find: "(minor === 5 && patch >= 1)",
    by: "minor === 5",
    test: GATE,
    red: /^gate checks version-source finds OpenBao 2\.5\.0/,
  },
  {
    bug: "vault#12487",
    says: "an entry over max_entry_size stops the copy while the server is down",
    guard: "components/steps/entrySize.ts",
    find: "return value <= DEFAULT_MAX_ENTRY_BYTES ? DEFAULT_MAX_ENTRY_BYTES : 2 ** Math.ceil(Math.log2(value));",
    by: "return value === 0 ? 0 : DEFAULT_MAX_ENTRY_BYTES;",
    test: "test/unit/raftTuning.test.ts",
    red: /a landing must not take the limit away/,
  },
  {
    bug: "kubernetes#73056",
    says: "a stream that died early ends with 0, and entries are missing",
    guard: CARRY,
    find: 'if ! cmp -s "$WORK/source.manifest" "$WORK/raft.manifest"; then',
    by: "if false; then",
    test: CARRY_TEST,
    red: /takes no words of success for proof when an entry is missing/,
  },
  {
    bug: "abort-exit-0",
    says: "bao operator migrate ends with 0 after an abort",
    guard: CARRY,
    find: "grep -q '^Success! All of the keys have been migrated' \"$2.out\"",
    by: "true",
    test: CARRY_TEST,
    red: /takes no exit status 0 for success when the words are missing/,
  },
  {
    bug: "stale migrate lock",
    says: "a migrate that was killed has left its lock",
    guard: CARRY,
    find: '[ ! -e "$DATA/core/_migration" ] || finish 23 \'{"problem":"migration-lock"}\'',
    by: "",
    test: CARRY_TEST,
    red: /refuses a source with another migration's lock/,
  },
  {
    bug: "zero-byte skip",
    says: "migrate drops a zero-byte entry without a word",
    guard: CARRY,
    find: '[ "$zero" -eq 0 ] && [ "$temp" -eq 0 ] ||',
    by: '[ "$temp" -eq 0 ] ||',
    test: CARRY_TEST,
    red: /refuses a zero-byte entry/,
  },
  {
    bug: "OnDelete boot",
    says: "the old pod goes on serving file storage after the flip",
    guard: "components/steps/scripts/roll.ts",
    find: "await replacePod(ctx, `${ctx.input.release}-0`, uid);",
    by: "",
    test: "test/scripts/roll.test.ts",
    red: /replaces the pod of the old revision/,
  },
  {
    bug: "OnDelete boot",
    says: "a pod on file storage is taken for one that was moved",
    guard: "components/steps/scripts/roll.ts",
    find: 'if (status.storageType !== "raft") {',
    by: "if (status === undefined) {",
    test: "test/scripts/roll.test.ts",
    red: /is not done while openbao-0 serves from file storage/,
  },
  {
    bug: "DIY lock race",
    says: "two runs that start at once both believe that they hold the lock",
    guard: "components/cluster/lease.ts",
    find: "if (error instanceof KubeError && error.status === 409) return false;",
    by: "if (error instanceof KubeError && error.status === 409) return true;",
    test: "test/unit/lease.test.ts",
    red: /a create that another won is looked at again|goes to one of two that start at once/,
  },
  {
    bug: "double init",
    says: "two runs initialise, and the first one's keys are lost",
    guard: "components/cluster/initOnce.ts",
    find: "const claim = await takeClaim(kube, namespace, seen, { holder: fence.holder, pod });",
    by: 'const claim: InitClaim = { state: "calling", holder: fence.holder, pod, resourceVersion: "" };',
    test: "test/scripts/init.test.ts",
    red: /two runs from two backends: one init/,
  },
];
