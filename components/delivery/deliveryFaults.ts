import type { ConfigFinding, MigrationConfig } from "../../config";

/** Which file stage land edits depends on who applies the chart. Keys are without the project's prefix. */
export function deliveryFaults({ delivery, git }: MigrationConfig): ConfigFinding[] {
  if (git === undefined) return [];
  const wanted = delivery === "helm" ? "values" : "helmRelease";
  const others = (
    delivery === "helm" ? (["helmRelease", "variables"] as const) : (["values"] as const)
  ).filter((key) => git[key] !== undefined);
  const missing: ConfigFinding[] =
    git[wanted] === undefined
      ? [
          {
            key: `git.${wanted}`,
            found: "nothing",
            expected:
              delivery === "helm"
                ? "the file of Helm values, since delivery is helm"
                : "the file of the HelmRelease",
            fix: `pulumi config set --path 'openbao-migration:git.${wanted}' FILE`,
          },
        ]
      : [];
  return [
    ...missing,
    ...others.map((key) => ({
      key: `git.${key}`,
      found: JSON.stringify(git[key]),
      expected: `nothing, since delivery is ${delivery}`,
      fix: `pulumi config rm --path 'openbao-migration:git.${key}'`,
    })),
  ];
}
