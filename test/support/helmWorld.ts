import { stringify } from "yaml";
import { LAYER_KEY, layerPath } from "../../components/delivery/heldRelease";
import { readRelease } from "../../components/delivery/releaseReader";
import { raftLayer } from "../../components/raftLayer";
import { runBeats, type Step, type StepContext } from "../../components/steps/runStep";
import { pause } from "../../components/steps/scripts/pause";
import type { FakeHelm } from "./fakeHelm";
import { releaseSecret, revisionPath, type Revision } from "./helmRelease";
import { StepWorld } from "./stepContext";

const RELEASE = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/openbao/helmreleases/openbao";
const STATEFUL_SET = "/apis/apps/v1/namespaces/openbao/statefulsets/openbao";
const CONFIG_MAP = "/api/v1/namespaces/openbao/configmaps/openbao-config";
/** A secret in the values: no argument and no message may hold it. */
export const SECRET_VALUE = "hunter2-in-the-values";
export const STANDALONE = {
  server: {
    extraEnvironmentVars: { TOKEN: SECRET_VALUE },
    standalone: { enabled: true, config: 'storage "file" {}' },
  },
};
export const NAME = { namespace: "openbao", release: "openbao", delivery: "helm" as const };

/** A plain Helm release, and no Flux. */
export class HelmWorld {
  readonly world: StepWorld;

  constructor(step: string, revisions: readonly Revision[] = [{ revision: 4, values: STANDALONE }]) {
    this.world = new StepWorld(step);
    this.world.kube.drop(RELEASE);
    for (const one of revisions) this.has(one);
  }

  has(one: Revision): this {
    this.world.kube.put(revisionPath(one.revision), releaseSecret(one));
    return this;
  }

  get kube() {
    return this.world.kube;
  }

  context(step = this.world.context.input.step): StepContext {
    return { ...this.world.context, input: { ...this.world.context.input, ...NAME, step } };
  }

  run(step: Step) {
    return runBeats(step, this.context(step.id));
  }

  /** Pulumi has made the layer. */
  layer(which: "raft" | "replicas", values: object): this {
    this.kube.put(layerPath("openbao", which), { data: { [LAYER_KEY]: stringify(values) } });
    return this;
  }

  /** What Helm does once it is called: the server's ConfigMap, and one replica. */
  applying(helm: FakeHelm, storage: "file" | "raft"): this {
    const before = storage === "raft" ? "file" : "raft";
    this.kube.answer("get", CONFIG_MAP, () => {
      const done = helm.calls.some(({ args }) => args[0] === "upgrade");
      return {
        data: { "extraconfig-from-values.hcl": `storage "${done ? storage : before}" { path = "/d" }` },
      };
    });
    let scaled = false;
    this.kube.answer("get", STATEFUL_SET, () => {
      if (scaled || !helm.calls.some(({ args }) => args[0] === "upgrade")) return undefined;
      scaled = true;
      this.world.statefulSet(1);
      return undefined;
    });
    return this;
  }

  /** Paused, stopped, carried over, and with the layer of the cutover. */
  async carried(): Promise<this> {
    await this.run(pause);
    this.layer("raft", raftLayer('storage "raft" {}', "helm"));
    await this.world.done("pause");
    await this.world.carriedOver();
    return this;
  }

  release() {
    return readRelease(this.kube, NAME);
  }
}
