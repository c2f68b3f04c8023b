import type { RehearsalOptions } from "../options";
import type { CommandPlugin } from "../tools/pluginHome";

/** What a run was made with. */
export interface UsedParts {
  readonly options: Pick<RehearsalOptions, "delivery" | "flux" | "context">;
  readonly commandPlugin: CommandPlugin;
  /** Whether the stand-in applied the chart: a cluster of the user's own can have the real helm-controller. */
  readonly helmController: boolean;
}

/** The parts of this run that were not the real ones, each with its place. */
export function standInsOf({ options, commandPlugin, helmController }: UsedParts): string[] {
  const controller = helmController && options.delivery === "flux";
  // Helm itself installs it from that folder; a real helm-controller takes the chart that Git names.
  const chart = controller || options.delivery === "helm";
  const how = options.flux ? " (from that folder: source-controller does not bring the chart)" : "";
  return [
    ...(commandPlugin === "real" ? [] : ["@pulumi/command plugin: rehearsal/standins/commandPlugin"]),
    ...(controller ? ["Flux helm-controller: rehearsal/standins/helmController"] : []),
    ...(chart ? [`openbao chart: rehearsal/standins/chart${how}`] : []),
    ...(options.context === undefined
      ? [
          "NetworkPolicy: rehearsal/standins/networkPolicy",
          "volumes: rehearsal/standins/localPathProvisioner",
          "External Secrets operator: rehearsal/standins/externalSecrets",
          "definition of PrometheusRules: rehearsal/standins/prometheusOperator",
        ]
      : []),
  ];
}
