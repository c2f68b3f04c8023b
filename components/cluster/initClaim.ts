import { KubeError, type KubeClient, type KubeObject } from "./kubeClient";

/** The create-only object that says who may initialise the store, and how far that went. It holds no secret. */
export const CLAIM_NAME = "openbao-raft-migration-init";

/**
 * "calling": written before the init call, so the call may have happened or not. "initialised": its reply was received.
 * "kept": the store holds data, or keys that are kept: it is never emptied again.
 */
export type ClaimState = "calling" | "initialised" | "kept";

export interface InitClaim {
  readonly state: ClaimState;
  /** The run that holds the claim, as the Lease names it. */
  readonly holder: string;
  readonly pod: string;
  /** Cluster id of the store that this claim's init made, once it was seen. */
  readonly clusterId?: string;
  readonly resourceVersion: string;
}

/** The claim is another's, or has changed since it was read. */
export class ClaimLost extends Error {
  override readonly name = "ClaimLost";
}

interface ClaimObject extends KubeObject {
  data?: Record<string, string>;
}

/** The claim, or undefined when nobody has ever claimed. @throws Error when it cannot be understood. */
export async function readClaim(kube: KubeClient, namespace: string): Promise<InitClaim | undefined> {
  const object = await kube.find<ClaimObject>(pathOf(namespace, CLAIM_NAME));
  return object === undefined ? undefined : claimOf(object);
}

/**
 * Claims the one init of `pod`: creates the object, or takes over one of a run that ended, with its resourceVersion as
 * precondition, so that of two only one wins (hazards F8, F51).
 * @param seen what readClaim gave; a claim that says "kept" is never taken over.
 * @throws ClaimLost
 */
export async function takeClaim(
  kube: KubeClient,
  namespace: string,
  seen: InitClaim | undefined,
  wanted: { readonly holder: string; readonly pod: string },
): Promise<InitClaim> {
  if (seen?.state === "kept") throw new ClaimLost("the store was initialised and is in use");
  const object: ClaimObject = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: CLAIM_NAME,
      labels: { "app.kubernetes.io/managed-by": "openbao-raft-migration" },
      ...(seen !== undefined && { resourceVersion: seen.resourceVersion }),
    },
    data: { state: "calling", ...wanted },
  };
  try {
    return claimOf(
      seen === undefined
        ? await kube.create(pathOf(namespace), object)
        : await kube.replace(pathOf(namespace, CLAIM_NAME), object),
    );
  } catch (error) {
    throw lost(error);
  }
}

/** Records how far the init went. @throws ClaimLost when another run has the claim now. */
export async function moveClaim(
  kube: KubeClient,
  namespace: string,
  claim: InitClaim,
  to: { readonly state: ClaimState; readonly clusterId?: string },
): Promise<InitClaim> {
  const data = {
    state: to.state,
    holder: claim.holder,
    pod: claim.pod,
    ...((to.clusterId ?? claim.clusterId) !== undefined && { clusterId: to.clusterId ?? claim.clusterId! }),
  };
  try {
    return claimOf(
      await kube.mergePatch<ClaimObject>(pathOf(namespace, CLAIM_NAME), {
        metadata: { resourceVersion: claim.resourceVersion },
        data,
      }),
    );
  } catch (error) {
    throw lost(error);
  }
}

function claimOf(object: ClaimObject): InitClaim {
  const { state, holder, pod, clusterId } = object.data ?? {};
  const known = state === "calling" || state === "initialised" || state === "kept";
  if (!known || holder === undefined || pod === undefined) {
    throw new Error(
      `ConfigMap "${CLAIM_NAME}" does not say who initialised what (state ${JSON.stringify(state ?? null)}); somebody has changed it: find out who before going on`,
    );
  }
  return {
    state,
    holder,
    pod,
    ...(clusterId !== undefined && { clusterId }),
    resourceVersion: object.metadata?.resourceVersion ?? "",
  };
}

function lost(error: unknown): unknown {
  if (!(error instanceof KubeError) || error.status !== 409) return error;
  return new ClaimLost(`another run has claimed the init meanwhile (ConfigMap "${CLAIM_NAME}")`, {
    cause: error,
  });
}

function pathOf(namespace: string, name?: string): string {
  return `/api/v1/namespaces/${namespace}/configmaps${name === undefined ? "" : `/${name}`}`;
}
