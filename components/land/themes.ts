import { helmReleaseEdit } from "./helmReleaseEdit";
import { noFile, type LandPlan, type Texts } from "./changeSet";
import { kustomizationOf, networkPolicyEdit, type PolicyFile } from "./networkPolicyEdit";
import { replicaFloorEdit } from "./replicaFloorEdit";
import { talosEdit } from "./talosEdit";
import { variablesEdit } from "./variablesEdit";

/** One theme of the change set, and so one commit. */
export interface Theme {
  readonly subject: string;
  /** What a reviewer should know besides. */
  readonly note?: string;
  /** The files that `change` looks at. */
  readonly files: readonly string[];
  /** Gives the new texts of the files that it has a say in. @throws LandRefusal for a file or a shape that does not fit. */
  readonly change: (texts: Texts) => Texts;
}

/**
 * The change set in its order. The count comes before the release: at no commit does Git ask for Raft with one node while
 * three run, which would cost the quorum. The ports come before both, and the exemption from the floor falls last.
 */
export function themesOf(plan: LandPlan): Theme[] {
  return [
    ...(plan.talos === undefined ? [] : [talosTheme(plan.talos)]),
    ...(plan.networkPolicy === undefined || plan.networkPolicy.objects.length === 0
      ? []
      : [policyTheme(plan.networkPolicy)]),
    ...(plan.variables === undefined ? [] : [countTheme(plan, plan.variables)]),
    releaseTheme(plan),
    ...(plan.replicaFloor === undefined ? [] : [floorTheme(plan, plan.replicaFloor)]),
  ];
}

function oneFile(file: string, subject: string, change: (text: string) => string, note?: string): Theme {
  return {
    subject,
    ...(note !== undefined && { note }),
    files: [file],
    change: (texts) => {
      const text = texts.get(file);
      if (text === undefined) throw noFile(file);
      return new Map([[file, change(text)]]);
    },
  };
}

function talosTheme({ file, nodeSubnets }: NonNullable<LandPlan["talos"]>): Theme {
  return oneFile(file, "feat(talos): let nodes reach nodes on OpenBao's Raft ports", (text) =>
    talosEdit(text, { file, nodeSubnets }),
  );
}

function policyTheme(policy: PolicyFile): Theme {
  const { file, objects } = policy;
  const kustomization = kustomizationOf(file);
  const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).join(" and ");
  return {
    subject: "feat(openbao): let its nodes reach each other on the Raft ports",
    note: `${names}, as in the cluster already: the first apply takes it over as it is`,
    files: [file, kustomization],
    change: (texts) => {
      const edited = networkPolicyEdit(policy, texts.get(file), texts.get(kustomization));
      return new Map([
        [file, edited.text],
        ...(edited.kustomization === undefined ? [] : [[kustomization, edited.kustomization] as const]),
      ]);
    },
  };
}

function countTheme({ replicas, replicasVariable: variable }: LandPlan, file: string): Theme {
  return oneFile(file, `feat(openbao): ask for ${replicas} replicas`, (text) =>
    variablesEdit(text, { file, variable, value: String(replicas) }),
  );
}

function releaseTheme(plan: LandPlan): Theme {
  const { helmRelease: file, release, namespace, replicas } = plan;
  return oneFile(file, `feat(openbao): run on Raft with ${replicas} nodes`, (text) =>
    helmReleaseEdit(text, {
      ...{ file, release, namespace, replicas },
      ...(plan.plainValues === true && { plainValues: true }),
      ...(plan.variables !== undefined && { replicasVariable: plan.replicasVariable }),
      ...plan.raft,
    }),
  );
}

function floorTheme({ namespace, release }: LandPlan, file: string): Theme {
  return oneFile(
    file,
    `feat(policies): hold ${release} to the replica floor`,
    (text) => replicaFloorEdit(text, { file, namespace, release }),
    "its exemption was for one node",
  );
}
