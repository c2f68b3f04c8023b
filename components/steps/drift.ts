/** One place where what runs is not what was landed. It holds no value: values can be secrets. */
export interface Drift {
  readonly part: "pods" | "values" | "release" | "objects";
  /** `StatefulSet openbao`. */
  readonly object: string;
  readonly field: string;
  /** How they differ, in a few words. */
  readonly how: string;
  /** Who wrote it, where the API server's record tells. */
  readonly by?: string;
}

/** In the refusal of pods that were restarted: the next run takes them as they are. */
export const PODS_WORDS = "not the pods of before the un-pause";

const SHOWN = 12;
const PARTS = ["pods", "values", "release", "objects"] as const;

/** What to do, by part; `flux` is false where Helm itself delivers. */
function remedy(part: Drift["part"], flux: boolean, release: string, namespace: string): string {
  const again = flux
    ? `flux reconcile helmrelease ${release} -n ${namespace} --force`
    : `helm upgrade ${release} -n ${namespace} with the landed file and the same chart`;
  const remedies: Readonly<Record<Drift["part"], string>> = {
    pods: "find out what restarted them (kubectl describe pod); the next run takes them as they are then",
    values: flux
      ? "take the other write back, or let Git say it too, by a reviewed commit"
      : `give Helm what the landed file says (${again})`,
    release: `have Helm apply what is landed (${again}), and keep chart changes for after the move`,
    objects: `stop the other writer, then have Helm apply its manifest again (${again})`,
  };
  return remedies[part];
}

/** One refusal for all that was found: pods first, at most 12 places, then what to do. */
export function driftWords(
  drifts: readonly Drift[],
  where: { readonly flux: boolean; readonly release: string; readonly namespace: string },
): string {
  const sorted = PARTS.flatMap((part) => drifts.filter((one) => one.part === part));
  const more = sorted.length > SHOWN ? ` and ${sorted.length - SHOWN} more` : "";
  const todo = PARTS.filter((part) => drifts.some((one) => one.part === part)).map((part) =>
    remedy(part, where.flux, where.release, where.namespace),
  );
  return (
    `what runs is not what was landed: ${sorted.slice(0, SHOWN).map(words).join("; ")}${more}. ` +
    `Expected no difference. ${sentence(todo.join("; "))}; then run pulumi up again`
  );
}

function words({ object, field, how, by }: Drift): string {
  return `${object} ${field} (${how}${by === undefined ? "" : `, by ${by}`})`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
