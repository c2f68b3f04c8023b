import type { NodeJob } from "./nodeJob";
import type { StepInput } from "./stepInput";

/** From this size on a work folder goes to the node's disk: forth and back need about three times the source. */
export const MEMORY_LIMIT_BYTES = 512 * 1024 * 1024;

type Bounds = Pick<StepInput, "podTimeoutSeconds" | "copyTimeoutSeconds">;

/** The Jobs of the ways forward: steps run them, and the gate asks the API server beforehand whether it admits them. */
export function fileCopyJob({ copyTimeoutSeconds }: Bounds, node?: string): NodeJob {
  return {
    name: "openbao-raft-file-copy",
    script: "fileCopy.sh",
    timeoutSeconds: copyTimeoutSeconds,
    ...on(node),
  };
}

/** @param offset where the slice begins, in characters */
export function keyProofJob({ podTimeoutSeconds }: Bounds, offset: number, node?: string): NodeJob {
  return {
    name: "openbao-raft-key-proof",
    script: "keyProof.sh",
    files: { offset: String(offset) },
    readOnly: true,
    timeoutSeconds: podTimeoutSeconds,
    ...on(node),
  };
}

export function carryJob(
  { copyTimeoutSeconds }: Bounds,
  { node, ...rest }: { readonly node?: string | undefined } & Pick<NodeJob, "files" | "memory">,
): NodeJob {
  return {
    name: "openbao-raft-carry",
    script: "carry.sh",
    timeoutSeconds: copyTimeoutSeconds,
    ...rest,
    ...on(node),
  };
}

export function finalSnapshotJob(
  { copyTimeoutSeconds }: Bounds,
  {
    node,
    ...rest
  }: { readonly node?: string | undefined } & Pick<NodeJob, "files" | "env" | "scratchAt" | "memory">,
): NodeJob {
  return {
    name: "openbao-raft-final-snapshot",
    script: "finalSnapshot.sh",
    readOnly: true,
    timeoutSeconds: copyTimeoutSeconds,
    ...rest,
    ...on(node),
  };
}

export function oldRaftAsideJob(
  { copyTimeoutSeconds }: Bounds,
  { node, ...rest }: { readonly node?: string | undefined } & Pick<NodeJob, "env">,
): NodeJob {
  return {
    name: "openbao-raft-set-aside",
    script: "setOldRaftAside.sh",
    timeoutSeconds: copyTimeoutSeconds,
    ...rest,
    ...on(node),
  };
}

function on(node: string | undefined): Pick<NodeJob, "node"> {
  return node === undefined ? {} : { node };
}
