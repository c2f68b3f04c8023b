import { itemsOf, type KubeClient, type KubeObject } from "../cluster/kubeClient";
import { at, labelsAt, listAt, nameOf, textAt } from "./fields";

/** Something that reaches OpenBao, and the address that it names. */
export interface ClientView {
  readonly name: string;
  readonly server: string;
}

const KINDS = [
  { kind: "Ingress", path: (space: string) => `/apis/networking.k8s.io/v1/namespaces/${space}/ingresses` },
  {
    kind: "HTTPRoute",
    path: (space: string) => `/apis/gateway.networking.k8s.io/v1/namespaces/${space}/httproutes`,
  },
  { kind: "CronJob", path: (space: string) => `/apis/batch/v1/namespaces/${space}/cronjobs` },
] as const;

/** Routes and CronJobs of the namespace with the Services that they name; the chart's own change with its values. */
export async function readRoutes(
  kube: KubeClient,
  about: { readonly namespace: string; readonly release: string },
): Promise<ClientView[]> {
  const lists = await Promise.all(
    KINDS.map(async ({ kind, path }) => {
      const answer = await kube.find<KubeObject>(path(about.namespace));
      const items = answer === undefined ? [] : itemsOf(path(about.namespace), answer).slice(0, 1000);
      return items
        .filter((one) => !ofChart(one, about.release))
        .flatMap((one) => servicesOf(one).map((server) => ({ name: `${kind} ${nameOf(one)}`, server })));
    }),
  );
  return lists.flat();
}

function ofChart(object: unknown, release: string): boolean {
  const labels = labelsAt(object, "metadata", "labels");
  const by = "app.kubernetes.io";
  return labels[`${by}/managed-by`] === "Helm" && labels[`${by}/instance`] === release;
}

/** Of a variable only scheme and host are kept: an address can hold a password. */
function servicesOf(object: unknown): string[] {
  const rules = listAt(object, "spec", "rules");
  const paths = rules.flatMap((rule) => listAt(rule, "http", "paths"));
  const backends = [at(object, "spec", "defaultBackend"), ...paths.map((one) => at(one, "backend"))];
  const names = [
    ...backends.map((one) => textAt(one, "service", "name")),
    ...rules.flatMap((rule) => listAt(rule, "backendRefs")).map((one) => textAt(one, "name")),
  ];
  const pod = at(object, "spec", "jobTemplate", "spec", "template", "spec");
  const values = [...listAt(pod, "initContainers"), ...listAt(pod, "containers")]
    .flatMap((one) => listAt(one, "env"))
    .map((one) => /^https?:\/\/[a-z0-9.-]{1,253}(?=$|[:/])/.exec(textAt(one, "value") ?? "")?.[0]);
  const servers = [...names.map((name) => name && `http://${name}`), ...values];
  return [...new Set(servers.filter((one): one is string => one !== undefined && one !== ""))];
}
