import { itemsOf, type KubeClient, type KubeObject } from "../cluster/kubeClient";
import { nameOf, textAt } from "./fields";
import { clean } from "./observed";

/** An object that changes the StatefulSet's pods, or their count, by itself. */
export interface AutoscalerView {
  /** Kind and name. */
  readonly name: string;
  /** What it does by itself; absent when it only recommends. */
  readonly does?: string;
}

interface Kind {
  readonly kind: string;
  readonly path: (namespace: string) => string;
  readonly target: "targetRef" | "scaleTargetRef";
  readonly does: (object: unknown) => string | undefined;
}

/** Modes of a VerticalPodAutoscaler in which no running pod is touched; absent means Auto. */
const QUIET_MODES: readonly string[] = ["Off", "Initial"];

const KINDS: readonly Kind[] = [
  {
    kind: "VerticalPodAutoscaler",
    path: (namespace) => `/apis/autoscaling.k8s.io/v1/namespaces/${namespace}/verticalpodautoscalers`,
    target: "targetRef",
    does: (object) => {
      const mode = textAt(object, "spec", "updatePolicy", "updateMode") ?? "Auto";
      return QUIET_MODES.includes(mode) ? undefined : `updateMode ${mode}: it may evict the pods`;
    },
  },
  {
    kind: "HorizontalPodAutoscaler",
    path: (namespace) => `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`,
    target: "scaleTargetRef",
    does: () => "it sets the replica count",
  },
  {
    kind: "ScaledObject",
    path: (namespace) => `/apis/keda.sh/v1alpha1/namespaces/${namespace}/scaledobjects`,
    target: "scaleTargetRef",
    does: () => "it sets the replica count",
  },
];

/** Those that target StatefulSet `release`; a kind that is not served has none. */
export async function readAutoscalers(
  kube: KubeClient,
  { namespace, release }: { readonly namespace: string; readonly release: string },
): Promise<AutoscalerView[]> {
  const lists = await Promise.all(
    KINDS.map(async ({ kind, path, target, does }) => {
      const answer = await kube.find<KubeObject>(path(namespace));
      if (answer === undefined) return [];
      return itemsOf(path(namespace), answer)
        .slice(0, 1000)
        .filter(
          (one) =>
            textAt(one, "spec", target, "kind") === "StatefulSet" &&
            textAt(one, "spec", target, "name") === release,
        )
        .map((one) => {
          const acts = does(one);
          return { name: clean(`${kind} ${nameOf(one)}`), ...(acts !== undefined && { does: clean(acts) }) };
        });
    }),
  );
  return lists.flat();
}
