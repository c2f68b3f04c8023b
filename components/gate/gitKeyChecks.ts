import { fail, notApplicable, pass, seen, unclear, type Check } from "./check";
import { clean } from "./observed";
import { cutoverIsUnderWay, hasMoved } from "./progress";

const NOT_CONFIGURED = "git.keySecret names no file";

/** The encrypted copy of the key Secret in Git: config key git.keySecret. */
export const gitKeyChecks: readonly Check[] = [
  {
    id: "git-key-generation",
    stage: "every",
    hazard: {
      ids: ["H6", "I49"],
      loss: "Flux, or a person after a disaster, puts keys of another store over the right ones",
    },
    severity: "block",
    waivable: true,
    observe: "the file git.keySecret on the branch to land on, decrypted by sops into memory and compared",
    judge: (snapshot) => {
      const expected = "the keys of the live Secret, encrypted to the recipients of .sops.yaml";
      const reseed = snapshot.path === "reseed";
      if (reseed && (cutoverIsUnderWay(snapshot) || hasMoved(snapshot)))
        return notApplicable("steps git-keys and git-keys-land write and compare it");
      return seen(snapshot.gitKey, expected, (view) => {
        if (view === undefined) return notApplicable(NOT_CONFIGURED);
        const { file, copy, fault } = view;
        if (copy === "same") return pass(`${file}: equal`, expected);
        if (copy === "faulty") return fail(clean(fault ?? file, 500), expected);
        if (copy === "unreadable")
          return unclear(`${file}: encrypted, and no age identity of this user opens it`, expected);
        if (copy !== "missing") return fail(`${file}: another generation than the live Secret`, expected);
        return reseed
          ? pass(`${file}: not there yet; step git-keys writes it`, expected)
          : fail(`${file}: no such file`, expected);
      });
    },
    remedy:
      "put the right key into the file (sops FILE), give sops the identity (SOPS_AGE_KEY_FILE), or leave git.keySecret out",
    source: "hazards.md H6; platform#1979",
  },
  {
    id: "git-key-sink",
    stage: "every",
    hazard: { ids: ["H6", "I29"], loss: "new keys are made, and cannot be written where a copy is wanted" },
    severity: "block",
    waivable: false,
    observe:
      "for carry reseed: sops on PATH, its creation rules, and an encryption of placeholders in memory",
    judge: (snapshot) => {
      const expected = "sops encrypts a Secret by the checkout's rules, to age recipients that they name";
      if (snapshot.path !== "reseed") return notApplicable("this data path makes no new keys");
      return seen(snapshot.gitKey, expected, (view) => {
        if (view === undefined) return notApplicable(NOT_CONFIGURED);
        return view.sinkFault === undefined
          ? pass(view.file, expected)
          : fail(clean(view.sinkFault, 500), expected);
      });
    },
    remedy: "put sops 3.10 or newer on PATH, and a rule with age and encrypted_regex into .sops.yaml",
    source: "hazards.md section 3, new root and init material",
  },
];
