import type { MigrationConfig } from "../../config";
import { CLUSTER_READS, NAMESPACE_READS } from "./gateReads";
import { HELM_RIGHTS } from "./helmRights";
import { ALERT_RIGHTS, CILIUM_RIGHTS, sampleRights } from "./optionalRights";
import { OWNER_RIGHTS, sourceRights } from "./ownerRights";
import { CARRY_RIGHTS, CLUSTER, FLUX, RIGHTS, type Right } from "./readAccess";

export const ROLE_NAME = "openbao-raft-migration";
const API = "rbac.authorization.k8s.io";

export interface RoleUse {
  /** OpenBao's. */
  readonly namespace: string;
  readonly delivery: MigrationConfig["delivery"];
  /** Of the Kustomization that applies the HelmRelease, and of its source. @default there is none */
  readonly fluxNamespace?: string;
  /** Those of `externalSecrets`. */
  readonly sampleNamespaces: readonly string[];
  /** Who runs the program, as a subject of a RoleBinding. */
  readonly subject: Readonly<Record<string, string>>;
}

export interface RbacObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

/** The least Roles that work, with their bindings, for every stage and data path (F59). */
export function rolesFor(use: RoleUse): RbacObject[] {
  const helm = use.delivery === "helm";
  const all = [
    ...RIGHTS.filter(({ group }) => !helm || group !== FLUX),
    ...Object.values(CARRY_RIGHTS).flat(),
    ...(helm ? HELM_RIGHTS : []),
    ...CILIUM_RIGHTS,
    ...ALERT_RIGHTS,
    ...NAMESPACE_READS,
  ];
  const own = all.filter((right) => right.namespace === undefined);
  const wide = [...all.filter((right) => right.namespace === CLUSTER), ...CLUSTER_READS];
  const owner = [...OWNER_RIGHTS, ...["gitrepositories", "ocirepositories", "buckets"].flatMap(sourceRights)];
  return [
    ...bound("Role", own, use, use.namespace),
    ...bound("ClusterRole", wide, use),
    ...(use.fluxNamespace === undefined ? [] : bound("Role", owner, use, use.fluxNamespace)),
    ...use.sampleNamespaces.flatMap((namespace) => bound("Role", sampleRights(namespace), use, namespace)),
  ];
}

function bound(
  kind: "Role" | "ClusterRole",
  rights: readonly Right[],
  { subject }: RoleUse,
  namespace?: string,
): RbacObject[] {
  const metadata = { name: ROLE_NAME, ...(namespace !== undefined && { namespace }) };
  return [
    { apiVersion: `${API}/v1`, kind, metadata, rules: rulesOf(rights) },
    {
      apiVersion: `${API}/v1`,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: API, kind, name: ROLE_NAME },
      subjects: [subject],
    },
  ];
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** One rule for all resources of a group that have the same verbs. */
export function rulesOf(rights: readonly Right[]): Rule[] {
  const verbs = new Map<string, Set<string>>();
  for (const { group, resource, subresource, verb } of rights) {
    const key = `${group} ${resource}${subresource === undefined ? "" : `/${subresource}`}`;
    verbs.set(key, (verbs.get(key) ?? new Set()).add(verb));
  }
  const rules = new Map<string, string[]>();
  for (const [key, set] of verbs) {
    const [group = "", resource = ""] = key.split(" ");
    const rule = `${group} ${[...set].join(",")}`;
    rules.set(rule, [...(rules.get(rule) ?? []), resource]);
  }
  return [...rules].map(([rule, resources]) => {
    const [group = "", list = ""] = rule.split(" ");
    return { apiGroups: [group], resources: resources.sort(), verbs: list.split(",") };
  });
}
