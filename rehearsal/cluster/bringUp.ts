import { existsSync } from "node:fs";
import { Api } from "./api";
import { bootstrapObjects } from "./bootstrapObjects";
import { clusterPids, makeCgroups } from "./cgroups";
import {
  apiServerSpec,
  controllerManagerSpec,
  etcdSpec,
  schedulerSpec,
  writeControlPlaneFiles,
} from "./controlPlane";
import { allNodesReady, apiIsReady, dnsAnswers } from "./health";
import { buildImage, importImage, type BuiltImage } from "./images";
import { COREDNS_IMAGE, imageSpecs, PAUSE_IMAGE } from "./imageSpecs";
import { recordMachine } from "./kernelSettings";
import { componentKubeconfig, writeKubeconfigs } from "./kubeconfigs";
import { nodeLayouts, type NodeLayout } from "./layout";
import { makeNetwork, networkExists, networkLeftovers } from "./network";
import { containerdSocket, writeNodeFiles } from "./nodeFiles";
import { containerdSpec, kubeletSpec, kubeProxySpec } from "./nodeProcesses";
import { makePki, RUNNER } from "./pki";
import { isAlive, isRunning, logTail, startProcess, stopProcess, type ProcessSpec } from "./processes";
import { run, type Log } from "./run";
import { clearReady, isReady, standInSpecs } from "./standIns";
import { currentBootId, emptyState, readState, writeState, type ClusterState } from "./state";
import { removeCluster } from "./teardown";
import { toolPath } from "../tools/tools";
import { GiveUp, waitFor } from "./waitFor";

/** Images without which no pod of the cluster itself can start. */
const FIRST_IMAGES = [PAUSE_IMAGE, COREDNS_IMAGE];

/** Every long-running program of the cluster. */
export function clusterSpecs(): ProcessSpec[] {
  const ofNodes = nodeLayouts().flatMap((node) => [
    containerdSpec(node),
    kubeletSpec(node),
    kubeProxySpec(node),
  ]);
  return [
    etcdSpec(),
    apiServerSpec(),
    controllerManagerSpec(),
    schedulerSpec(),
    ...ofNodes,
    ...standInSpecs(),
  ];
}

/** Brings the cluster up from whatever is there; the caller holds the lock. */
export async function bringUp(log: Log): Promise<void> {
  const started = Date.now();
  const state = await usableState(log);
  if (state.phase === "up" && clusterSpecs().every((spec) => isRunning(state, spec)) && (await answers())) {
    // One of an earlier version lacks this user. Else nothing is written: a run beside this one may read the files.
    if (!existsSync(componentKubeconfig(RUNNER))) {
      await makePki();
      writeKubeconfigs();
    }
    log("The rehearsal cluster is up already.");
    return;
  }
  state.phase = "starting";
  recordMachine(state);
  writeState(state);
  log("Making certificates, network and cgroups ...");
  makeCgroups();
  await Promise.all([makePki(), makeNetwork()]);
  writeKubeconfigs();
  writeControlPlaneFiles();
  for (const node of nodeLayouts()) writeNodeFiles(node);
  await startAll(state, log);
  state.phase = "up";
  writeState(state);
  log(`The rehearsal cluster is up (${((Date.now() - started) / 1000).toFixed(1)} s).`);
}

/** The recorded state, or a fresh one after removing what cannot be repaired. */
async function usableState(log: Log): Promise<ClusterState> {
  const state = readState();
  const why = reasonToRemake(state);
  if (why) {
    log(`Making the cluster anew: ${why}.`);
    await removeCluster(log);
  }
  return (why ? undefined : state) ?? emptyState(currentBootId());
}

function reasonToRemake(state: ClusterState | undefined): string | undefined {
  if (!state) {
    const found = clusterPids().length > 0 || networkLeftovers().length > 0;
    return found ? "parts of one without a record were found" : undefined;
  }
  if (state.bootId !== currentBootId()) return "the machine was restarted";
  if (state.phase === "stopping") return "an earlier removal did not finish";
  const alive = Object.values(state.processes).some(isAlive);
  if (!networkExists() && (alive || state.phase === "up")) return "its network is gone";
  return undefined;
}

async function answers(): Promise<boolean> {
  const api = new Api();
  try {
    if (!standInSpecs().every(({ name }) => isReady(name))) return false;
    const all = await Promise.all([allNodesReady(api), dnsAnswers()]);
    return all.every(Boolean);
  } catch {
    return false;
  } finally {
    api.close();
  }
}

async function startAll(state: ClusterState, log: Log): Promise<void> {
  log("Starting etcd, the API server and three containerds ...");
  await ensureRunning(state, etcdSpec());
  await ensureRunning(state, apiServerSpec());
  for (const node of nodeLayouts()) await ensureRunning(state, containerdSpec(node));
  const api = new Api();
  try {
    const controlPlane = startControlPlane(state, api, log);
    const images = imageSpecs().map(buildImage);
    await Promise.all([
      controlPlane,
      ...nodeLayouts().map((node) => startNode(state, node, images, controlPlane)),
    ]);
    log("Waiting for nodes, DNS and stand-ins ...");
    await waitRunning(state, "three nodes to be Ready", 60, nodeSpecs(), () => allNodesReady(api));
    await waitRunning(state, "the cluster's DNS to answer", 60, nodeSpecs(), () => dnsAnswers());
    for (const spec of standInSpecs()) {
      await waitRunning(state, `the stand-in ${spec.name} to be ready`, 30, [spec], () =>
        Promise.resolve(isReady(spec.name)),
      );
    }
  } finally {
    api.close();
  }
}

function nodeSpecs(): ProcessSpec[] {
  return nodeLayouts().flatMap((node) => [containerdSpec(node), kubeletSpec(node), kubeProxySpec(node)]);
}

async function startControlPlane(state: ClusterState, api: Api, log: Log): Promise<void> {
  const specs = [etcdSpec(), apiServerSpec()];
  await waitRunning(state, "the API server to be ready", 60, specs, () => apiIsReady(api));
  await ensureRunning(state, controllerManagerSpec());
  await ensureRunning(state, schedulerSpec());
  for (const { path, object } of bootstrapObjects()) await api.apply(path, object);
  for (const spec of standInSpecs()) {
    if (!isRunning(state, spec)) clearReady(spec.name);
    await ensureRunning(state, spec);
  }
  log("The API server is ready.");
}

async function startNode(
  state: ClusterState,
  node: NodeLayout,
  images: BuiltImage[],
  controlPlane: Promise<void>,
): Promise<void> {
  const ctr = [toolPath("ctr"), "--address", containerdSocket(node), "version"];
  await waitRunning(state, `containerd of ${node.name}`, 30, [containerdSpec(node)], async () =>
    Boolean(await run(ctr)),
  );
  const isFirst = (image: BuiltImage) => FIRST_IMAGES.includes(image.name);
  for (const image of images.filter(isFirst)) await ensureImported(state, node, image);
  await controlPlane;
  await ensureRunning(state, kubeletSpec(node));
  await ensureRunning(state, kubeProxySpec(node));
  for (const image of images.filter((image) => !isFirst(image))) await ensureImported(state, node, image);
}

async function ensureImported(state: ClusterState, node: NodeLayout, image: BuiltImage): Promise<void> {
  const imported = (state.images[node.name] ??= {});
  if (imported[image.name] === image.key) return;
  await importImage(node, image);
  imported[image.name] = image.key;
  writeState(state);
}

async function ensureRunning(state: ClusterState, spec: ProcessSpec): Promise<void> {
  if (isRunning(state, spec)) return;
  await stopProcess(state.processes[spec.name]);
  state.processes[spec.name] = startProcess(spec);
  writeState(state);
}

/** Waits, and gives up at once when one of the processes that it depends on has ended. */
function waitRunning(
  state: ClusterState,
  what: string,
  seconds: number,
  specs: ProcessSpec[],
  ask: () => Promise<boolean>,
) {
  return waitFor(what, seconds, async () => {
    const dead = specs.find((spec) => !isAlive(state.processes[spec.name]));
    if (dead)
      throw new GiveUp(
        `${dead.name} ended while waiting for ${what}. Its last output:\n${logTail(dead.name)}`,
      );
    return ask();
  });
}
