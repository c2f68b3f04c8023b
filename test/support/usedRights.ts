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

/** A client that notes the right that each of its calls needs. @param ended ends a run that only its calls count of. */
export function recordingRights(
  kube: KubeClient,
  used: Set<UsedRight>,
  ended: () => boolean = () => false,
): KubeClient {
  return new Proxy(kube, {
    get(target, name: string) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function" || VERBS[name] === undefined) return member;
      return (path: string, ...rest: unknown[]) => {
        if (ended()) throw new Error("the run is over");
        for (const verb of VERBS[name]!) used.add(`${verb} ${resourceOf(path)}`);
        return (member as (...args: unknown[]) => unknown).call(target, path, ...rest);
      };
    },
  });
}

/** "pods/log", "helmreleases.helm.toolkit.fluxcd.io". */
function resourceOf(path: string): string {
  const parts =
    /^\/(?:api\/v1|apis\/(?<group>[^/]+)\/[^/]+)(?:\/namespaces\/[^/]+)?\/(?<kind>[^/]+)(?:\/[^/]+(?:\/(?<sub>[^/]+))?)?$/.exec(
      path,
    )?.groups;
  if (parts === undefined) throw new Error(`no resource in "${path}"`);
  const sub = parts["sub"] === undefined ? "" : `/${parts["sub"]}`;
  return `${parts["kind"]}${sub}${parts["group"] === undefined ? "" : `.${parts["group"]}`}`;
}
