import type { ConfigFinding } from "../../config";
import { rule } from "../configRule";

const NO_CHECKOUT: ConfigFinding = {
  key: "git",
  found: "nothing",
  expected: "the platform's Git checkout, since stage is land",
  fix: "pulumi config set --path 'openbao-migration:git.checkout' FOLDER",
};

/** What stage land needs of the checkout; which file depends on who applies the chart. Keys are without the project's prefix. */
export const DELIVERY_RULES = [
  rule(["git", "stage", "rollback"], ({ git, stage, rollback }) =>
    git === undefined && stage === "land" && !rollback ? [NO_CHECKOUT] : [],
  ),
  rule(["git", "delivery"], ({ git, delivery }) => {
    if (git === undefined) return [];
    const [wanted, what, others] =
      delivery === "helm"
        ? ([
            "values",
            "the file of Helm values, since delivery is helm",
            ["helmRelease", "variables"],
          ] as const)
        : (["helmRelease", "the file of the HelmRelease", ["values"]] as const);
    const missing = {
      key: `git.${wanted}`,
      found: "nothing",
      expected: what,
      fix: `pulumi config set --path 'openbao-migration:git.${wanted}' FILE`,
    };
    return [
      ...(git[wanted] === undefined ? [missing] : []),
      ...others
        .filter((key) => git[key] !== undefined)
        .map((key) => ({
          key: `git.${key}`,
          found: JSON.stringify(git[key]),
          expected: `nothing, since delivery is ${delivery}`,
          fix: `pulumi config rm --path 'openbao-migration:git.${key}'`,
        })),
    ];
  }),
];
