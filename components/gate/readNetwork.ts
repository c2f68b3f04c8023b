import { at, booleanAt, labelsAt, listAt, nameOf, numberAt, textAt, textsAt } from "./fields";
import { selectorTakes } from "./selector";

export interface ServiceView {
  readonly name: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly headless: boolean;
  readonly publishesNotReady: boolean;
  readonly ports: readonly number[];
}

export function serviceView(object: unknown): ServiceView {
  return {
    name: nameOf(object),
    selector: labelsAt(object, "spec", "selector"),
    headless: textAt(object, "spec", "clusterIP") === "None",
    publishesNotReady: booleanAt(object, "spec", "publishNotReadyAddresses") === true,
    ports: listAt(object, "spec", "ports").flatMap((port) => numberAt(port, "port") ?? []),
  };
}

/** Pods behind a Service, by its EndpointSlices. */
export interface EndpointsView {
  readonly service: string;
  readonly pods: readonly string[];
}

export function endpointsView(slices: readonly unknown[], service: string): EndpointsView {
  const pods = slices
    .filter((slice) => labelsAt(slice, "metadata", "labels")["kubernetes.io/service-name"] === service)
    .flatMap((slice) => listAt(slice, "endpoints"))
    .map((endpoint) => textAt(endpoint, "targetRef", "name") ?? textsAt(endpoint, "addresses")[0] ?? "?");
  return { service, pods: [...new Set(pods)].sort() };
}

export interface BudgetView {
  readonly name: string;
  readonly maxUnavailable?: string;
  readonly minAvailable?: string;
  readonly disruptionsAllowed: number;
  /** True when its selector takes in the server's pods. */
  readonly selectsServer: boolean;
}

export function budgetView(object: unknown, podLabels: Readonly<Record<string, string>>): BudgetView {
  return {
    name: nameOf(object),
    maxUnavailable: shownNumber(at(object, "spec", "maxUnavailable")),
    minAvailable: shownNumber(at(object, "spec", "minAvailable")),
    disruptionsAllowed: numberAt(object, "status", "disruptionsAllowed") ?? 0,
    selectsServer: selectorTakes(at(object, "spec", "selector"), podLabels),
  };
}

function shownNumber(value: unknown): string | undefined {
  return typeof value === "number" || typeof value === "string" ? String(value).slice(0, 20) : undefined;
}

/** A webhook that can change or refuse a pod. */
export interface WebhookView {
  readonly name: string;
  readonly operations: readonly string[];
  readonly failurePolicy: string;
}

/** The webhooks of one configuration whose rules take in pods. */
export function podWebhooks(object: unknown): WebhookView[] {
  return listAt(object, "webhooks").flatMap((hook) => {
    const rules = listAt(hook, "rules").filter((rule) =>
      textsAt(rule, "resources").some((one) => ["pods", "*", "pods/*", "*/*"].includes(one)),
    );
    if (rules.length === 0) return [];
    const operations = [...new Set(rules.flatMap((rule) => textsAt(rule, "operations")))].sort();
    return [
      {
        name: `${nameOf(object)}/${textAt(hook, "name") ?? "?"}`,
        operations,
        failurePolicy: textAt(hook, "failurePolicy") ?? "Fail",
      },
    ];
  });
}
