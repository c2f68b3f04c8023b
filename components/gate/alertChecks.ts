import { fail, notApplicable, pass, seen, type Check } from "./check";

/** Whether the alerts of stage verify can be made. */
export const alertChecks: readonly Check[] = [
  {
    id: "alert-rules",
    stage: "verify",
    hazard: {
      ids: ["I34", "F34", "F35"],
      loss: "no alert is made: a volume that fills up, or a lost voter, is met when requests fail",
    },
    severity: "warn",
    waivable: true,
    observe: "whether PrometheusRules (monitoring.coreos.com/v1) are served",
    judge: ({ prometheusRules }, { alerts }) => {
      const expected = "PrometheusRules, since alerts are enabled";
      if (!alerts.enabled) return notApplicable("alerts are not enabled");
      return seen(prometheusRules, expected, (served) =>
        served ? pass("served", expected) : fail("no such kind in the cluster", expected),
      );
    },
    remedy:
      "install the CRDs of the Prometheus operator, or pulumi config set --path openbao-migration:alerts.enabled false",
    source: "issue 6; vault#18943",
  },
];
