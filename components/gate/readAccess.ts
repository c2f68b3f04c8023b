import type { KubeClient, KubeObject } from "../cluster/kubeClient";
import type { MigrationConfig, Stage } from "../../config";
import { carryPath, type CarryPath } from "../steps/carryPath";
import { booleanAt, textAt } from "./fields";
import { optionalRights } from "./optionalRights";
import { ownerRights } from "./ownerRights";

/** One right that a stage uses, in OpenBao's own namespace unless another is named. */
export interface Right {
  readonly stage: Stage;
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
}

/** For what lies in no namespace; a review without one asks for the whole cluster. */
export const CLUSTER = "";
export const FLUX = "helm.toolkit.fluxcd.io";

/** One right for each of `verbs`; `resource` may name a subresource, as in pods/log. */
export function rights(stage: Stage, verbs: string, resource: string, group = ""): Right[] {
  const [name, subresource] = resource.split("/") as [string, string | undefined];
  return verbs.split(" ").map((verb) => ({
    stage,
    verb,
    group,
    resource: name,
    ...(subresource !== undefined && { subresource }),
  }));
}

/** Exactly the verbs that the stages use, so that a missing one is met in preview and not in mid-cutover (F59). */
export const RIGHTS: readonly Right[] = [
  ...rights("network", "get create update", "leases", "coordination.k8s.io"),
  ...rights("network", "get create patch update", "configmaps"),
  ...rights("network", "get create patch", "networkpolicies", "networking.k8s.io"),
  ...rights("network", "get list watch create delete", "pods"),
  ...rights("network", "get", "pods/log"),
  // Over a WebSocket it is a GET; from Kubernetes 1.35 on the API server asks for create besides.
  ...rights("network", "get create", "pods/portforward"),
  ...rights("network", "get", "statefulsets", "apps"),
  ...rights("network", "get", "helmreleases", FLUX),
  ...rights("network", "list", "nodes").map((right) => ({ ...right, namespace: CLUSTER })),
  ...rights("backup", "get list create update delete", "secrets"),
  ...rights("backup", "list watch create delete", "jobs", "batch"),
  ...rights("cutover", "patch", "statefulsets/scale", "apps"),
  ...rights("cutover", "list watch patch", "helmreleases", FLUX),
  ...rights("cutover", "list patch", "cronjobs", "batch"),
  // The way back looks at the followers' claims, and needs no more than the cutover.
  ...rights("cutover", "get", "persistentvolumeclaims"),
  ...rights("replicas", "list", "poddisruptionbudgets", "policy"),
  ...rights("verify", "list", "endpointslices", "discovery.k8s.io"),
  ...rights("land", "get", "services"),
  ...rights("land", "get", "poddisruptionbudgets", "policy"),
];

/** The way back uses what the cutover uses. */
export const ROLLBACK_ASKS: Stage = "cutover";

/** What the data paths besides migrate use above that. */
export const CARRY_RIGHTS: Readonly<Record<CarryPath, readonly Right[]>> = {
  migrate: [],
  none: [],
  restore: [],
  "restore-file": [],
  reseed: [
    ...rights("cutover", "patch", "secrets"),
    ...rights("cutover", "get", "jobs", "batch"),
    ...rights("cutover", "get", "cronjobs", "batch"),
  ],
};

export interface AccessView {
  /** Every right that was asked for, in words such as "create pods/portforward". */
  readonly asked: readonly string[];
  readonly denied: readonly { readonly stage: Stage; readonly right: string }[];
}

export function rightName(right: Right): string {
  const resource =
    right.subresource === undefined ? right.resource : `${right.resource}/${right.subresource}`;
  return `${right.verb} ${resource}${right.group === "" ? "" : `.${right.group}`}`;
}

/** Asks the API server for each right (SelfSubjectAccessReview: a question, nothing is stored). */
export async function readAccess(
  kube: KubeClient,
  config: MigrationConfig,
  owner: { readonly namespace: string; readonly name: string } | undefined,
): Promise<AccessView> {
  const asked: Right[] = [
    ...(config.delivery === "helm" ? RIGHTS.filter(({ group }) => group !== FLUX) : RIGHTS),
    ...CARRY_RIGHTS[carryPath(config)],
    ...(await optionalRights(kube, config)),
  ];
  if (owner !== undefined) asked.push(...(await ownerRights(kube, owner)));
  const answers = await Promise.all(
    asked.map(async (right) => {
      const namespace = right.namespace ?? config.namespace;
      const { verb, group, resource, subresource } = right;
      const answer = await kube.create<KubeObject>("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: {
          resourceAttributes: {
            verb,
            group,
            resource,
            ...(subresource !== undefined && { subresource }),
            namespace,
          },
        },
      } as KubeObject);
      return { right, allowed: booleanAt(answer, "status", "allowed") === true };
    }),
  );
  return {
    asked: asked.map(rightName),
    denied: answers
      .filter((answer) => !answer.allowed)
      .map(({ right }) => ({
        stage: right.stage,
        right: `${rightName(right)} in ${right.namespace === CLUSTER ? "the cluster" : (right.namespace ?? config.namespace)}`,
      })),
  };
}

/** The Lease that excludes two runs. */
export interface LeaseView {
  readonly holder: string;
  readonly renewTime: string;
  readonly durationSeconds: number;
  /** True when the holder is a process of this machine that has ended. */
  readonly holderEnded: boolean;
}

export function leaseView(object: unknown, isDead: (holder: string) => boolean): LeaseView {
  const holder = textAt(object, "spec", "holderIdentity") ?? "";
  const seconds = (object as { spec?: { leaseDurationSeconds?: unknown } }).spec?.leaseDurationSeconds;
  return {
    holder,
    renewTime: textAt(object, "spec", "renewTime") ?? "",
    durationSeconds: typeof seconds === "number" && Number.isFinite(seconds) ? seconds : 30,
    holderEnded: holder !== "" && isDead(holder),
  };
}
