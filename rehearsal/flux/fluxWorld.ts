import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { KubeClient, KubeObject } from "../../components/cluster/kubeClient";
import { SOURCE_NAMESPACE } from "../source/sourceCluster";
import { toolPath } from "../tools/tools";
import { packChart } from "./chartMirror";
import { definitionsOf, startFluxControllers } from "./controllers";
import { putDefinitions } from "./definitions";
import { startGitServer } from "./gitServer";
import { fluxObjects, KUSTOMIZATIONS, OWNER } from "./objects";
import { publish } from "./reviewedRepository";

const RELEASES = `/apis/helm.toolkit.fluxcd.io/v2/namespaces/${SOURCE_NAMESPACE}/helmreleases`;
const APPLIED_SECONDS = 120;

/** Flux with its Git server, as long as it runs. */
export interface FluxWorld {
  /** The bare repository that Flux follows. */
  readonly bare: string;
  /** Lets Flux apply the platform's tree, and waits until the HelmRelease is there (120 s). */
  readonly place: () => Promise<void>;
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

async function words(kube: KubeClient): Promise<string> {
  type Told = KubeObject & { status?: { conditions?: { type: string; message: string }[] } };
  const all = await kube.list<Told>(KUSTOMIZATIONS);
  return all
    .map(({ metadata, status }) => {
      const said = status?.conditions?.map(({ type, message }) => `${type}: ${message}`).join("; ");
      return `Kustomization ${metadata?.name} says: ${said ?? "nothing"}`;
    })
    .join(". ");
}
