import { rights, type Right } from "./readAccess";

const RBAC = "rbac.authorization.k8s.io";

/**
 * With delivery helm, in place of the rights on HelmReleases: those of this program's own calls, and below them those of
 * Helm on the objects of the chart, some of which it has only in one of the two modes.
 */
export const HELM_RIGHTS: readonly Right[] = [
  ...rights("network", "get list", "secrets"),
  ...rights("cutover", "watch patch", "secrets"),
  ...rights("cutover", "delete", "configmaps"),
  ...rights("cutover", "get patch", "serviceaccounts"),
  ...rights("cutover", "get create patch delete", "services"),
  ...rights("cutover", "patch", "statefulsets", "apps"),
  ...rights("cutover", "get create patch delete", "poddisruptionbudgets", "policy"),
  ...rights("cutover", "get create patch delete", "roles", RBAC),
  // Not called: the chart's Role for the server grants them, and nobody makes a Role that grants more than they hold.
  ...rights("cutover", "update patch", "pods"),
  ...rights("cutover", "get create patch delete", "rolebindings", RBAC),
  ...rights("cutover", "get patch", "clusterrolebindings", RBAC).map((right) => ({
    ...right,
    namespace: "",
  })),
];
