// Writes docs/role.yaml and docs/role-helm.yaml from the records: `node --import tsx components/gate/roleDoc.ts`.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Document, isScalar, visit } from "yaml";
import { PROJECT_ROOT } from "../projectRoot";
import { rolesFor } from "./roles";

const DELIVERIES = ["flux", "helm"] as const;
type Delivery = (typeof DELIVERIES)[number];

export const ROLE_DOCS = DELIVERIES.map((delivery) => ({
  delivery,
  file: join(PROJECT_ROOT, "docs", delivery === "flux" ? "role.yaml" : "role-helm.yaml"),
}));

const HEAD = `# What the user or the ServiceAccount that runs Pulumi needs: no more is used, and each of it is, by some stage or data
# path. Made from the records in components/gate; the rehearsal runs under it. Change the names that are in capitals.
# - Kinds that are not installed are named as well: without the right the API server answers 403, not 404, and the gate
#   cannot tell the two apart.
# - Not in it: get nodes/proxy (the gate looks at the room on the volumes where it may; step file-copy measures it
#   anyway), and list persistentvolumeclaims in all namespaces (only a Velero backup that counts snapshots needs it).
# - For each entry of externalSecrets: get and patch externalsecrets in its namespace, as at the end of this file.
`;

export function roleDoc(delivery: Delivery): string {
  const objects = rolesFor({
    namespace: "OPENBAO-NAMESPACE",
    delivery,
    ...(delivery === "flux" && { fluxNamespace: "flux-system" }),
    sampleNamespaces: ["SAMPLE-NAMESPACE"],
    subject: { kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "PULUMI-USER" },
  });
  const which = `# - For delivery: ${delivery}; ${delivery === "flux" ? "role-helm.yaml" : "role.yaml"} is for the other.\n`;
  return [HEAD + which, ...objects.map(yamlOf)].join("---\n");
}

function yamlOf(object: object): string {
  const document = new Document(object, { aliasDuplicateObjects: false });
  visit(document, { Seq: (_key, list) => void (list.flow = list.items.every(isScalar)) });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

if (require.main === module)
  for (const { file, delivery } of ROLE_DOCS) writeFileSync(file, roleDoc(delivery));
