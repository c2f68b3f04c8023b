import type { Right } from "./readAccess";

/**
 * What the gate reads beside `RIGHTS`. Where a right is missing the look stays unknown, and the checks that hang on it say
 * so and block; with a Role that is no administrator's the API server answers 403, not 404, for kinds that are not
 * installed, so those are named as well (F59).
 */
export const NAMESPACE_READS: readonly Right[] = [
  ...reads("get", "namespaces"),
  ...reads("list", "services resourcequotas persistentvolumeclaims"),
  ...reads("list", "networkpolicies ingresses", "networking.k8s.io"),
  ...reads("list", "httproutes", "gateway.networking.k8s.io"),
  ...reads("list", "ciliumnetworkpolicies", "cilium.io"),
  ...reads("list", "horizontalpodautoscalers", "autoscaling"),
  ...reads("list", "verticalpodautoscalers", "autoscaling.k8s.io"),
  ...reads("list", "scaledobjects", "keda.sh"),
  ...reads("list", "externalsecrets", "external-secrets.io"),
  ...reads("list", "prometheusrules", "monitoring.coreos.com"),
  ...reads("list", "volumesnapshots", "snapshot.storage.k8s.io"),
];

/** The same in all namespaces, or of objects that are in none. */
export const CLUSTER_READS: readonly Right[] = [
  ...reads("get", "persistentvolumes"),
  ...reads("list", "storageclasses", "storage.k8s.io"),
  ...reads("list", "mutatingwebhookconfigurations", "admissionregistration.k8s.io"),
  ...reads("list", "ciliumclusterwidenetworkpolicies", "cilium.io"),
  ...reads("list", "secretstores clustersecretstores pushsecrets", "external-secrets.io"),
  ...reads("list", "applications", "argoproj.io"),
  ...reads("list", "backups podvolumebackups datauploads", "velero.io"),
  ...reads("list", "volumesnapshotcontents", "snapshot.storage.k8s.io"),
];

/**
 * Left out of the Role: `nodes/proxy` reaches every container of a node. Without it the room on the volumes is not looked
 * at (check data-volume-room says so, and step file-copy measures it); without the claims of all namespaces a Velero
 * backup is not taken for whole by its count of snapshots.
 */
export const SPARED_READS: readonly Right[] = [
  ...reads("get", "nodes/proxy"),
  ...reads("list", "persistentvolumeclaims"),
];

function reads(verb: string, resources: string, group = ""): Right[] {
  return resources.split(" ").map((name) => {
    const [resource = "", subresource] = name.split("/");
    return { stage: "network", verb, group, resource, ...(subresource !== undefined && { subresource }) };
  });
}
