import type { MigrationConfig } from "../../config";
import { fail, faults, notApplicable, pass, seen, unclear, type Check, type Judgement } from "./check";
import { cutoverIsUnderWay, hasMoved, isDone, observedStage, server0 } from "./progress";
import { TOKEN_PATHS } from "./readOpenBao";
import type { KeySecretView, KeyShape } from "./readKeySecret";
import type { ClusterSnapshot } from "./snapshot";

/** The key Secret, by its looks; that the key opens THIS store is proven by step key-proof. */
export const keyChecks: readonly Check[] = [
  {
    id: "key-secret-present",
    stage: "every",
    hazard: { ids: ["F25", "I2"], loss: "after the restart nothing can open the store" },
    severity: "block",
    waivable: false,
    alsoRollback: true,
    observe: "the key Secret and its two keys (present or not; never a value)",
    judge: ({ keySecret, namespace }, { keySecret: ref }) => {
      const expected = `Secret "${ref.name}" with keys "${ref.unsealKey}" and "${ref.rootToken}"`;
      if (namespace.known && namespace.value === undefined) {
        return unclear("the namespace does not exist", expected);
      }
      return seen(keySecret, expected, (secret) => {
        if (!secret.present) return fail("no such Secret", expected);
        const missing = [
          ...(secret.unsealKey.present ? [] : [`key "${ref.unsealKey}" is missing`]),
          ...(secret.rootToken.present ? [] : [`key "${ref.rootToken}" is missing`]),
        ];
        return faults(missing, "both keys are there", expected);
      });
    },
    remedy:
      "pulumi config set --path openbao-migration:keySecret.name NAME, or put the held key into the Secret",
    source: "hazards.md row 25",
  },
  {
    id: "unseal-key-shape",
    stage: "every",
    hazard: { ids: ["F25"], loss: "the unseal hook fails in silence and the server stays sealed" },
    severity: "block",
    waivable: false,
    alsoRollback: true,
    observe: "shape of the stored unseal key: placeholder, white space, encoding, length",
    judge: (snapshot) => {
      const expected = "one key of 16 to 64 bytes as hex or base64, encoded once, without white space";
      return withSecret(snapshot, expected, ({ unsealKey }) => {
        if (!unsealKey.present) return unclear("the key is missing", expected);
        const fault = shapeFault(unsealKey);
        if (fault !== undefined) return fail(`it ${fault}`, expected);
        const bytes = unsealKey.decodedBytes;
        return bytes >= 16 && bytes <= 64
          ? pass(`${bytes} bytes`, expected)
          : fail(bytes === 0 ? "it is neither hex nor base64" : `${bytes} bytes`, expected);
      });
    },
    remedy:
      "store the key as `bao operator init` printed it: kubectl create secret generic ... --from-file (no echo)",
    source: "hazards.md row 25; facts/environment.md section 4",
  },
  {
    id: "root-token-shape",
    stage: "every",
    hazard: {
      ids: ["F25", "F27"],
      loss: "the content cannot be compared, so nobody knows whether all came over",
    },
    severity: "block",
    waivable: false,
    observe: "shape of the stored token: placeholder, white space, encoding",
    judge: (snapshot) => {
      const expected = "a token, encoded once, without white space";
      return withSecret(snapshot, expected, ({ rootToken }) => {
        if (!rootToken.present) return unclear("the token is missing", expected);
        const fault = shapeFault(rootToken);
        return fault === undefined ? pass("a token", expected) : fail(`it ${fault}`, expected);
      });
    },
    remedy: "store the token as plain text in the Secret's key, without a line break",
    source: "hazards.md row 25",
  },
  {
    id: "token-rights",
    // Not "backup": days may lie between that stage and the cutover, and a token's time runs on.
    stage: "every",
    hazard: { ids: ["F27"], loss: "the run stops in the middle of the downtime for want of a right" },
    severity: "block",
    waivable: false,
    observe: "capabilities-self of the held token on the paths that the stages use",
    judge: (snapshot, config) => {
      const expected = "a token that OpenBao knows, with root or the listed capabilities";
      const idle = needsNoToken(snapshot, config);
      if (idle !== undefined) return notApplicable(idle);
      return seen(snapshot.token, expected, ({ capabilities }) =>
        seen(capabilities, expected, (held) => faults(missingRights(held), "every path", expected)),
      );
    },
    remedy: `bao token lookup (with the stored token); put a living token with root rights into the Secret. One without policy "default" needs ${ruleFor("sys/capabilities-self", "update")} to show its rights`,
    source: "hazards.md row 27",
  },
  {
    id: "token-lifetime",
    stage: "every",
    hazard: { ids: ["F27"], loss: "the token ends in the middle of the downtime" },
    severity: "block",
    waivable: true,
    observe: "ttl of the held token, by lookup-self",
    judge: (snapshot, config) => {
      const needed = neededTtlSeconds(config);
      const expected = `a token that never ends or lasts ${hours(needed)}`;
      const idle = needsNoToken(snapshot, config);
      if (idle !== undefined) return notApplicable(idle);
      // One cause, one finding: token-rights says that there is no token, or none that is known.
      const rights = snapshot.token.known ? snapshot.token.value.capabilities : snapshot.token;
      if (!snapshot.token.known || !rights.known || missingRights(rights.value).length > 0)
        return notApplicable("token-rights asks for a token first");
      return seen(snapshot.token.value.ttlSeconds, expected, (ttl) => {
        if (ttl === 0) return pass("it never ends", expected);
        const left = `it ends in ${hours(ttl)}`;
        return ttl < needed ? fail(left, expected) : pass(left, expected);
      });
    },
    remedy: `put a token that lasts into the Secret; one that may not look at itself needs the rule ${ruleFor("auth/token/lookup-self", "read")} in one of its policies (bao policy write), or a waiver that says how long it lasts`,
    source: 'hazards.md row 27; policy "default" of OpenBao holds both rules',
  },
  {
    id: "seal-one-share",
    stage: "backup",
    hazard: {
      ids: ["I45", "F24"],
      loss: "the one stored share does not open the store, so every restart needs people",
    },
    severity: "block",
    waivable: false,
    observe: "seal type, shares and threshold of the first server",
    judge: (snapshot) => {
      const expected = "seal type shamir with a threshold of 1";
      if (cutoverIsUnderWay(snapshot)) return notApplicable("the cutover is under way");
      const seal = server0(snapshot)?.seal;
      if (seal === undefined) return unclear("the first server gave no answer", expected);
      if (!seal.initialized && snapshot.path === "restore-file")
        return notApplicable("the snapshot at hand takes the source's place");
      if (!seal.initialized) return unclear("the first server is not initialised", expected);
      const found = `${seal.type}, ${seal.shares} share(s), threshold ${seal.threshold}`;
      return seal.type === "shamir" && seal.threshold === 1 ? pass(found, expected) : fail(found, expected);
    },
    remedy: "a seal with more shares, or of another type, is not supported yet (docs/hazards.md)",
    source: "facts/environment.md section 4; facts/openbao.md section 11",
  },
  {
    id: "key-proven",
    stage: "cutover",
    hazard: { ids: ["F24", "F26"], loss: "the server is stopped, and the held key does not open it again" },
    severity: "block",
    waivable: false,
    observe: "the proof of step key-proof in the journal, against the key that the Secret holds now",
    judge: (snapshot) => {
      const expected = "the key that step key-proof proved to open this store";
      if (hasMoved(snapshot)) return notApplicable("the key has opened the store on Raft");
      if (snapshot.path !== "migrate")
        return notApplicable("the snapshot is its proof, or the store gets new keys");
      return seen(snapshot.keyProof, expected, (proof) => {
        // Step stop asks again, so that no run gets past it unproven.
        if (proof === undefined) return notApplicable("stage backup proves it");
        return proof.sameKey
          ? pass(`proven ${proof.provenAt}`, expected)
          : fail(`another key: the Secret was written after the proof of ${proof.provenAt}`, expected);
      });
    },
    remedy:
      "put the proven key back, or let `pulumi up` with openbao-migration:stage backup prove the new one",
    source: "hazards.md rows 24, 26",
  },
  {
    id: "key-secret-writers",
    stage: "cutover",
    hazard: {
      ids: ["I49", "F26", "H6"],
      loss: "a writer in Git puts an old or placeholder key over the right one",
    },
    severity: "warn",
    waivable: true,
    observe: "field managers and the owner label of the key Secret",
    judge: (snapshot) => {
      const expected = "no deploy tool among the Secret's writers";
      return withSecret(snapshot, expected, (secret) => {
        if (!secret.present) return unclear("the Secret is missing", expected);
        const tools = secret.managers.filter((one) =>
          /kustomize-controller|helm-controller|argocd|external-secrets|^helm$/.test(one),
        );
        const owner = secret.owner === undefined ? [] : [`owned by Kustomization ${secret.owner}`];
        return faults([...tools.map((one) => `written by ${one}`), ...owner], "no deploy tool", expected);
      });
    },
    remedy:
      "kubectl annotate secret NAME kustomize.toolkit.fluxcd.io/reconcile=disabled, or drop it from Git",
    source: "platform#1979",
  },
  {
    id: "weak-seal",
    stage: "verify",
    hazard: { ids: ["F24"], loss: "whoever reads one Secret can open the store: 1-of-1 beside it" },
    severity: "warn",
    waivable: true,
    observe: "shares and threshold of the first server",
    judge: (snapshot) => {
      const expected = "known and accepted, or a stronger seal after the move";
      const seal = server0(snapshot)?.seal;
      if (!hasMoved(snapshot) || seal === undefined) return notApplicable("told after the move");
      return seal.type === "shamir" && seal.threshold === 1
        ? fail("one share in a Secret opens the store", expected)
        : pass(`${seal.type}, threshold ${seal.threshold}`, expected);
    },
    remedy: "plan stage harden: transit or KMS auto-unseal, or a rekey to more shares",
    source: "hazards.md section 3, weak seal",
  },
];

/** An OpenBao policy's rule, as it is written. */
function ruleFor(path: string, capability: string): string {
  return `path "${path}" { capabilities = ["${capability}"] }`;
}

/** Why the token is not asked for; undefined when it is. */
function needsNoToken(snapshot: ClusterSnapshot, { stage }: MigrationConfig): string | undefined {
  if (cutoverIsUnderWay(snapshot)) return "the cutover is under way";
  if (snapshot.path === "restore-file" && server0(snapshot)?.seal.sealed !== false)
    return "no source answers";
  return isDone(observedStage(snapshot), stage) ? `stage ${stage} is done` : undefined;
}

function missingRights(held: Readonly<Record<string, readonly string[]>>): string[] {
  return Object.entries(TOKEN_PATHS).flatMap(([path, wanted]) => {
    const has = Object.hasOwn(held, path) ? held[path]! : [];
    const enough = has.includes("root") || wanted.every((one) => has.includes(one));
    return enough ? [] : [`${path} needs ${wanted.join("+")}, has ${has.join("+") || "nothing"}`];
  });
}

/** Seconds: two hours for a run with the default bound of the copy, more with a longer one. */
function neededTtlSeconds({ copyTimeoutSeconds }: MigrationConfig): number {
  return 7200 + Math.max(0, copyTimeoutSeconds - 3600);
}

function hours(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function withSecret(
  snapshot: ClusterSnapshot,
  expected: string,
  judge: (secret: KeySecretView) => Judgement,
): Judgement {
  return seen(snapshot.keySecret, expected, judge);
}

function shapeFault(shape: KeyShape): string | undefined {
  return shape.fault ?? (shape.doubleBase64 ? "is base64 twice: decode it once before storing" : undefined);
}
