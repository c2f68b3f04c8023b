import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { KubeClient, KubeObject } from "../../components/cluster/kubeClient";
import { SOURCE_NAMESPACE } from "../source/sourceCluster";
import { toolPath } from "../tools/tools";
import { packChart } from "./chartMirror";
import { definitionsOf, startFluxControllers } from "./controllers";
import { putDefinitions } from "./definitions";
import { startGitServer } from "./gitServer";
import { fluxObjects, KUSTOMIZATIONS, OWNER, SOURCE } from "./objects";
import { publish } from "./reviewedRepository";

const RELEASES = `/apis/helm.toolkit.fluxcd.io/v2/namespaces/${SOURCE_NAMESPACE}/helmreleases`;
const HELM_REPOSITORIES = `/apis/source.toolkit.fluxcd.io/v1/namespaces/${SOURCE_NAMESPACE}/helmrepositories`;
const APPLIED_SECONDS = 120;
/** Its health check waits for the HelmRelease, and asks for it now and then. */
const READY_SECONDS = 300;

/** Flux with its Git server, as long as it runs. */
export interface FluxWorld {
  /** The bare repository that Flux follows. */
  readonly bare: string;
  /** Lets Flux apply the platform's tree, and waits until the HelmRelease is there (120 s). */
  readonly place: () => Promise<void>;
  /** Waits until the Kustomization that applies the HelmRelease is ready; it needs the running server (300 s). */
  readonly settled: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/**
 * Publishes the checkout on a Git server of this machine, puts Flux's own definitions into the throw-away cluster and
 * starts its controllers. Ended by `stop`; the cluster's `down` ends the controllers, too.
 */
export async function startFlux(
  kube: KubeClient,
  runDir: string,
  checkout: string,
  log: (line: string) => void,
): Promise<FluxWorld> {
  const root = join(runDir, "git");
  const charts = join(runDir, "charts");
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const bare = join(root, "platform.git");
  await publish(checkout, bare);
  await packChart(toolPath("helm"), charts);
  for (const name of ["source-controller", "kustomize-controller"] as const)
    await putDefinitions(kube, definitionsOf(name));
  const server = await startGitServer(root, charts);
  try {
    const controllers = await startFluxControllers();
    log(`Flux runs: source-controller and kustomize-controller, Git at ${server.url}/platform.git`);
    return {
      bare,
      place: () => place(kube, server.url, log),
      settled: () => settled(kube, READY_SECONDS, log),
      stop: async () => {
        await controllers.stop();
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function place(kube: KubeClient, server: string, log: (line: string) => void): Promise<void> {
  for (const { collection, object } of fluxObjects(server, "platform.git"))
    await kube.create(collection, object);
  try {
    await kube.waitFor<KubeObject>(RELEASES, "openbao", (seen) => seen !== undefined, {
      what: "Flux to apply the HelmRelease from Git",
      timeoutSeconds: APPLIED_SECONDS,
    });
  } catch (cause) {
    throw new Error(`${(cause as Error).message}; ${await words(kube)}`, { cause });
  }
  log(`Flux applied the platform's tree from Git: Kustomization ${OWNER} made HelmRelease openbao`);
}

/** @throws Error with what Flux's objects say when the owner does not get ready in time. */
export async function settled(
  kube: KubeClient,
  timeoutSeconds: number,
  log: (line: string) => void,
): Promise<void> {
  try {
    await kube.waitFor<Told>(KUSTOMIZATIONS, OWNER, isReady, {
      what: `Kustomization ${OWNER} to be ready`,
      timeoutSeconds,
    });
  } catch (cause) {
    throw new Error(`${(cause as Error).message}; ${await words(kube)}`, { cause });
  }
  log(`Kustomization ${OWNER} is ready`);
}

type Told = KubeObject & {
  status?: { observedGeneration?: number; conditions?: { type: string; status?: string; message: string }[] };
};

function isReady(seen: Told | undefined): boolean {
  const ready = seen?.status?.conditions?.find(({ type }) => type === "Ready");
  return ready?.status === "True" && seen?.status?.observedGeneration === seen?.metadata?.generation;
}

/** What Flux says of its sources, too: where one cannot be fetched, the Kustomization says little. */
async function words(kube: KubeClient): Promise<string> {
  const kinds = { Kustomization: KUSTOMIZATIONS, GitRepository: SOURCE, HelmRepository: HELM_REPOSITORIES };
  const told = Object.entries(kinds).map(async ([kind, collection]) => {
    const all = await kube.list<Told>(collection).catch((error: Error) => error);
    if (all instanceof Error) return [`${kind}: ${all.message}`];
    return all.map(({ metadata, status }) => {
      const said = status?.conditions?.map(({ type, message }) => `${type}: ${message}`).join("; ");
      return `${kind} ${metadata?.name} says: ${said ?? "nothing"}`;
    });
  });
  return (await Promise.all(told)).flat().join(". ");
}
