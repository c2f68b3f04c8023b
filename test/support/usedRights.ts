import type { KubeClient } from "../../components/cluster/kubeClient";

/** One right in the words of `rightName`, such as "patch statefulsets/scale.apps". */
export type UsedRight = string;

/** The verbs behind each call of the client: `waitFor` lists and watches. */
const VERBS: Readonly<Record<string, readonly string[]>> = {
  get: ["get"],
  find: ["get"],
  list: ["list"],
  text: ["get"],
  create: ["create"],
  replace: ["update"],
  mergePatch: ["patch"],
  remove: ["delete"],
  waitFor: ["list", "watch"],
};

/** Where a right is used: in a namespace, or in the cluster as a whole. */
export type Place = "namespace" | "cluster";

/**
 * A client that notes the right that each of its calls needs.
 * @param used gets the rights, each with its place
 * @param ended ends a run that only its calls count of. */
export function recordingRights(
  kube: KubeClient,
  used: { add(right: UsedRight, place: Place): unknown },
  ended: () => boolean = () => false,
): KubeClient {
  return new Proxy(kube, {
    get(target, name: string) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function" || VERBS[name] === undefined) return member;
      return (path: string, ...rest: unknown[]) => {
        if (ended()) throw new Error("the run is over");
        for (const verb of VERBS[name]!) note(used, verb, path);
        return (member as (...args: unknown[]) => unknown).call(target, path, ...rest);
      };
    },
  });
}

/** "pods/log", "helmreleases.helm.toolkit.fluxcd.io". What is open to every user needs no right. */
function note(used: { add(right: UsedRight, place: Place): unknown }, verb: string, path: string): void {
  if (path === "/version" || path.endsWith("/selfsubjectaccessreviews")) return;
  const parts =
    /^\/(?:api\/v1|apis\/(?<group>[^/]+)\/[^/]+)(?<space>\/namespaces\/[^/]+(?=\/))?\/(?<kind>[^/]+)(?<name>\/[^/]+(?:\/(?<sub>.+))?)?$/.exec(
      path,
    )?.groups;
  if (parts === undefined) throw new Error(`no resource in "${path}"`);
  // A subresource of a proxy has a path of its own.
  const sub = parts["sub"] === undefined ? "" : `/${parts["sub"].split("/")[0]}`;
  const kind = `${parts["kind"]}${sub}${parts["group"] === undefined ? "" : `.${parts["group"]}`}`;
  // One namespace is asked for like an object in it.
  const place = parts["space"] !== undefined || parts["kind"] === "namespaces" ? "namespace" : "cluster";
  used.add(`${verb === "get" && parts["name"] === undefined ? "list" : verb} ${kind}`, place);
}
