import {
  ApiException,
  CoreV1Api,
  CustomObjectsApi,
  KubernetesObjectApi,
  PatchStrategy,
  setHeaderOptions,
  type KubeConfig,
} from "@kubernetes/client-node";
import type { ReadData } from "./composeValues";
import { helmReleaseApi, type HelmRelease, type HelmReleaseStatus } from "./helmRelease";

const mergePatch = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);

/** The few calls to the API server that a reconcile needs. */
export class ClusterAccess {
  readonly core: CoreV1Api;
  readonly objects: KubernetesObjectApi;
  private readonly custom: CustomObjectsApi;

  constructor(config: KubeConfig) {
    this.core = config.makeApiClient(CoreV1Api);
    this.custom = config.makeApiClient(CustomObjectsApi);
    this.objects = KubernetesObjectApi.makeApiClient(config);
  }

  /** The HelmRelease as it is now, or nothing when it is gone. */
  async helmRelease(namespace: string, name: string): Promise<HelmRelease | undefined> {
    return orAbsent(
      this.custom.getNamespacedCustomObject({ ...helmReleaseApi, namespace, name }) as Promise<HelmRelease>,
    );
  }

  async hasHelmRepository(namespace: string, name: string): Promise<boolean> {
    const api = { group: "source.toolkit.fluxcd.io", version: "v1", plural: "helmrepositories" };
    return (await orAbsent(this.custom.getNamespacedCustomObject({ ...api, namespace, name }))) !== undefined;
  }

  /** Reads ConfigMaps and Secrets of one namespace as decoded text. */
  dataReader(namespace: string): ReadData {
    return async (kind, name) => {
      if (kind === "ConfigMap") {
        const map = await orAbsent(this.core.readNamespacedConfigMap({ namespace, name }));
        return map && (map.data ?? {});
      }
      const secret = await orAbsent(this.core.readNamespacedSecret({ namespace, name }));
      return (
        secret &&
        Object.fromEntries(
          Object.entries(secret.data ?? {}).map(([key, value]) => [
            key,
            Buffer.from(value, "base64").toString(),
          ]),
        )
      );
    };
  }

  /** Makes the stored status equal to `status`; fields that are in `before` only are removed. */
  async writeStatus(
    release: HelmRelease,
    before: HelmReleaseStatus,
    status: HelmReleaseStatus,
  ): Promise<void> {
    const gone = Object.keys(before).filter((key) => !(key in status));
    const body = { status: { ...Object.fromEntries(gone.map((key) => [key, null])), ...status } };
    const { namespace, name } = release.metadata;
    await orAbsent(
      this.custom.patchNamespacedCustomObjectStatus({ ...helmReleaseApi, namespace, name, body }, mergePatch),
    );
  }

  /** Replaces the finalizers; refused by the server when the object changed meanwhile, so none is lost. */
  async writeFinalizers(release: HelmRelease, finalizers: string[]): Promise<void> {
    const { namespace, name, resourceVersion } = release.metadata;
    const body = { metadata: { resourceVersion, finalizers } };
    await orAbsent(
      this.custom.patchNamespacedCustomObject({ ...helmReleaseApi, namespace, name, body }, mergePatch),
    );
  }
}

async function orAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return undefined;
    throw error;
  }
}
