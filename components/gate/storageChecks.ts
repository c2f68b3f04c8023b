import { fail, faults, notApplicable, pass, seen, seenObject, shortList, unclear, type Check } from "./check";
import { valueOr } from "./observed";
import { cutoverIsUnderWay, hasMoved } from "./progress";
import { isSetAside } from "../steps/setAside";
import { bytesOf } from "./readStorage";

const GIB = 1024 ** 3;
/** What step file-copy (jobs/fileCopy.sh) asks for: the copy, the Raft store that comes later, and a margin. */
export const COPY_FACTOR = 2.5;
/** In bytes. An empty Raft store preallocates two files of 16 MiB; twice that is left for the log. */
export const RAFT_FLOOR = 64 * 1024 ** 2;

/** Volumes and what stands in the way of the StatefulSet's change. */
export const storageChecks: readonly Check[] = [
  {
    id: "data-claim-bound",
    stage: "backup",
    hazard: { ids: ["F37", "F38"], loss: "the data is not on the volume that the program would copy" },
    severity: "block",
    waivable: false,
    observe: "claim data-<release>-0 and its phase",
    judge: ({ claims }, { release }) => {
      const name = `data-${release}-0`;
      const expected = `claim ${name} is Bound`;
      return seen(claims, expected, (list) => {
        const claim = list.find((one) => one.name === name);
        if (claim === undefined) return fail(`no claim ${name}`, expected);
        if (claim.terminating) return fail("it is being deleted", expected);
        return claim.phase === "Bound"
          ? pass(`volume ${claim.volume}`, expected)
          : fail(claim.phase || "no phase", expected);
      });
    },
    remedy: "kubectl describe pvc CLAIM; the chart's server.dataStorage must be enabled",
    source: "facts/environment.md section 2",
  },
  {
    id: "raft-leftovers",
    stage: "replicas",
    hazard: {
      ids: ["I33", "I32"],
      loss: "a follower starts with the data of an earlier try and never joins",
    },
    severity: "block",
    waivable: false,
    observe: "claims data-<release>-N of ordinals that have no pod yet",
    judge: (snapshot, config) => {
      const expected = "no data claim beyond the replicas that run";
      return seenObject(snapshot.statefulSet, "the StatefulSet", expected, (set) =>
        seen(snapshot.claims, expected, (claims) => {
          const from = Math.max(1, set.replicas);
          const left = claims.filter(
            (claim) =>
              claim.template === "data" &&
              claim.ordinal >= from &&
              claim.ordinal < config.replicas &&
              !isSetAside(valueOr(snapshot.journal, []), claim.ordinal, claim.uid),
          );
          return faults(
            left.map((claim) => claim.name),
            "none",
            expected,
          );
        }),
      );
    },
    remedy:
      "after a rollback that was cut short, set rollback to true once more; else make sure that nothing of value is on them, keep a copy, then kubectl delete pvc CLAIM",
    source: "dc-tec#341; vault#31732",
  },
  {
    id: "reclaim-policy",
    stage: "cutover",
    hazard: { ids: ["F38"], loss: "a deleted claim takes the only copy of the store with it" },
    severity: "warn",
    waivable: true,
    observe: "reclaim policy of the volume of data-<release>-0",
    judge: ({ claims, volumes }, { release }) => {
      const expected = "Retain";
      return seen(claims, expected, (list) =>
        seen(volumes, expected, (all) => {
          const claim = list.find((one) => one.name === `data-${release}-0`);
          const volume = all.find((one) => one.name === claim?.volume);
          if (volume === undefined) return unclear("its volume was not found", expected);
          return volume.reclaimPolicy === "Retain"
            ? pass("Retain", expected)
            : fail(`${volume.reclaimPolicy || "no policy"} on volume ${volume.name}`, expected);
        }),
      );
    },
    remedy: `kubectl patch pv VOLUME -p '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'`,
    source: "hazards.md row 38",
  },
  {
    id: "claims-outlive-scaling",
    stage: "cutover",
    hazard: {
      ids: ["F38", "I33"],
      loss: "scaling to 0 for the cutover deletes the claim, and the store with it",
    },
    severity: "block",
    waivable: false,
    observe: "persistentVolumeClaimRetentionPolicy of the StatefulSet",
    judge: ({ statefulSet }) => {
      const expected = "whenScaled: Retain and whenDeleted: Retain";
      return seenObject(statefulSet, "the StatefulSet", expected, (set) => {
        const found = `whenScaled: ${set.whenScaled}, whenDeleted: ${set.whenDeleted}`;
        return set.whenScaled === "Retain" && set.whenDeleted === "Retain"
          ? pass(found, expected)
          : fail(found, expected);
      });
    },
    remedy: "server.persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain, whenScaled: Retain}",
    source: "openbao-helm values.yaml; hazards.md row 38",
  },
  {
    id: "storage-class",
    stage: "replicas",
    hazard: { ids: ["F37"], loss: "the followers stay Pending without a volume" },
    severity: "block",
    waivable: false,
    observe: "StorageClass of each claim template",
    judge: ({ statefulSet, storageClasses }) => {
      const expected = "every claim template names a StorageClass that exists, or there is a default one";
      return seenObject(statefulSet, "the StatefulSet", expected, (set) =>
        seen(storageClasses, expected, (classes) =>
          faults(
            set.claimTemplates.flatMap(({ name, storageClass }) => {
              if (storageClass === undefined) {
                return classes.some((one) => one.isDefault) ? [] : [`${name}: no default StorageClass`];
              }
              return classes.some((one) => one.name === storageClass)
                ? []
                : [`${name}: no "${storageClass}"`];
            }),
            "all exist",
            expected,
          ),
        ),
      );
    },
    remedy: "kubectl get storageclass; set server.dataStorage.storageClass to one of them",
    source: "hazards.md row 37",
  },
  {
    id: "immutable-fields",
    stage: "cutover",
    hazard: { ids: ["I6", "F55"], loss: "the upgrade is refused in mid-cutover, with the server down" },
    severity: "block",
    waivable: true,
    observe: "claim templates, pod management policy and Service name against the HelmRelease's values",
    judge: ({ release, statefulSet }, config) => {
      const expected = "what the values render: fields that Kubernetes lets nobody change";
      return seenObject(release, "the HelmRelease", expected, (values) =>
        seenObject(statefulSet, "the StatefulSet", expected, (set) => {
          const found: string[] = [];
          const differ = (what: string, live: string | undefined, wanted: string | undefined) => {
            if (wanted !== undefined && wanted !== "" && live !== wanted) {
              found.push(`${what}: ${live ?? "absent"} live, ${wanted} in the values`);
            }
          };
          const template = (name: string) => set.claimTemplates.find((one) => one.name === name);
          differ("podManagementPolicy", set.podManagementPolicy, values.podManagementPolicy);
          differ("data size", size(template("data")?.size), size(values.dataSize));
          differ("data class", template("data")?.storageClass, values.dataClass);
          if (template("audit") !== undefined) {
            differ("audit size", size(template("audit")?.size), size(values.auditSize));
            differ("audit class", template("audit")?.storageClass, values.auditClass);
          }
          differ("serviceName", set.serviceName, `${config.release}-internal`);
          return faults(found, "equal", expected);
        }),
      );
    },
    remedy: "set the values to what is live; or kubectl delete statefulset --cascade=orphan beforehand",
    source: "openbao-helm 81a328b, 33bdef7; vault-helm#658",
  },
  {
    id: "data-room",
    stage: "backup",
    hazard: {
      ids: ["F33", "F34"],
      loss: "the copy fills the volume: the server is down with two half stores",
    },
    severity: "block",
    waivable: true,
    observe: "the kubelet's figures of claim data-<release>-0",
    judge: (snapshot, { release }) => {
      const copies = snapshot.path === "migrate";
      const expected = copies
        ? `free space for the file copy, the Raft copy and its log: ${COPY_FACTOR} times what is used`
        : "free space for a new Raft store beside the old one: once what is used, and its log";
      if (hasMoved(snapshot) || cutoverIsUnderWay(snapshot))
        return notApplicable("the data was copied already");
      if (snapshot.path === "none") return notApplicable("this carry makes no file copy");
      if (!copies && valueOr(snapshot.release, undefined)?.mode !== "raft")
        return notApplicable("no Raft store is set aside");
      // A copy, or a part of one, counts as used: only the step can tell it from the data.
      if (copies && valueOr(snapshot.journal, []).some((one) => one.step === "file-copy"))
        return notApplicable("step file-copy has begun; it measures the data");
      const otherwise = copies
        ? "step file-copy measures the data"
        : "no step measures it: look yourself that the store fits once more";
      // A namespaced user may not ask the kubelets; of a copy, the step refuses before it copies anything.
      if (!snapshot.volumeUse.known) return notApplicable(`${snapshot.volumeUse.why}; ${otherwise}`);
      return seen(snapshot.volumeUse, expected, (list) => {
        const use = list.find((one) => one.claim === `data-${release}-0`);
        if (use === undefined) return notApplicable(`the kubelet gave no figures for it; ${otherwise}`);
        const size = bytesOf(valueOr(snapshot.claims, []).find((one) => one.name === use.claim)?.size ?? "");
        if (size !== undefined && use.capacityBytes > 2 * size) {
          return notApplicable(`it shares a disk with ${gib(use.availableBytes)} free; ${otherwise}`);
        }
        const needed = (copies ? COPY_FACTOR : 1) * use.usedBytes + RAFT_FLOOR;
        const found = `${gib(use.availableBytes)} free, ${gib(needed)} needed`;
        return use.availableBytes >= needed ? pass(found, expected) : fail(found, expected);
      });
    },
    remedy: "grow the volume (allowVolumeExpansion) before the cutover",
    source: "hazards.md row 33",
  },
  {
    id: "audit-room",
    stage: "every",
    hazard: {
      ids: ["I34", "F35"],
      loss: "a full audit volume stops every request while the probes stay green",
    },
    severity: "warn",
    waivable: true,
    observe: "the kubelet's figures of the audit claims",
    judge: ({ volumeUse, claims, pods }) => {
      const expected = "at least 10 % free on every audit volume";
      return seen(claims, expected, (list) => {
        const audit = list.filter((claim) => claim.template === "audit");
        if (audit.length === 0) return notApplicable("no audit volume");
        return seen(volumeUse, expected, (uses) => {
          const measured = uses.filter((use) => audit.some((claim) => claim.name === use.claim));
          if (measured.length === 0) return unclear("the kubelets gave no figures", expected);
          const free = (use: (typeof uses)[number]) => use.availableBytes / Math.max(1, use.capacityBytes);
          const full = measured
            .filter((use) => free(use) < 0.1)
            .map((use) => `${use.claim} on ${use.node}: ${Math.floor(free(use) * 100)} % free`);
          const running = valueOr(pods, [])
            .filter((pod) => pod.phase === "Running")
            .map((pod) => pod.ordinal);
          const unmeasured = audit
            .filter((claim) => running.includes(claim.ordinal))
            .filter((claim) => !measured.some((use) => use.claim === claim.name))
            .map((claim) => `no figures for ${claim.name}`);
          return full.length === 0 && unmeasured.length > 0
            ? unclear(shortList(unmeasured), expected)
            : faults([...full, ...unmeasured], `${measured.length} volume(s) with room`, expected);
        });
      });
    },
    remedy: "rotate or move the audit log away, or grow the volume",
    source: "vault#18943; kubriX#519; facts/openbao.md section 9",
  },
];

function size(quantity: string | undefined): string | undefined {
  if (quantity === undefined) return undefined;
  return String(bytesOf(quantity) ?? quantity);
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(2)} GiB`;
}
