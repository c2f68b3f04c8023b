import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { KubeError, type KubeClient, type KubeObject } from "./kubeClient";

/** Name of the Lease that excludes two runs, whatever their Pulumi backends (hazards F8-F10). */
export const LEASE_NAME = "openbao-raft-migration";

const DURATION_SECONDS = 30;
const RENEW_EVERY_MS = 8_000;
/** Between two steps of one run nobody renews: the holder keeps the Lease for this long. */
const IDLE_SECONDS = 20;
/** Clocks of runner and nodes may differ by this much before a Lease is called old on its date alone (F60). */
const CLOCK_TOLERANCE_SECONDS = 600;

export interface LeaseObject extends KubeObject {
  spec?: {
    holderIdentity?: string | null;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

/** Thrown when another run holds the Lease, or took it over while this one was away. */
export class LeaseHeld extends Error {
  override readonly name = "LeaseHeld";
}

/** The proof of holding: `leaseTransitions` is the fencing value, looked up again before each irreversible act. */
export interface Fence {
  readonly holder: string;
  readonly value: number;
  /** @throws LeaseHeld when another run has taken over. */
  assertHeld(): Promise<void>;
}

/**
 * Names one run: the process that starts the steps (Pulumi's provider plugin) lives as long as one `pulumi up`.
 * The start time makes the name unique when a pid is used again.
 */
export function runIdentity(): string {
  const machine = machineHere() ?? hostname();
  return `${userName()}@${machine}/${process.ppid}-${startTime(process.ppid)}`;
}

/**
 * True when `holder` is a process of this machine that has ended.
 * @param proc folder of the process file system
 */
export function isDeadHere(holder: string, proc = "/proc"): boolean {
  const match = /@([^/]+)\/(\d+)-(\w+)$/.exec(holder);
  const here = machineHere(proc);
  if (match === null || here === undefined || match[1] !== here || match[3] === "unknown") return false;
  return startTime(Number(match[2])) !== match[3];
}

/**
 * Where a pid means what it means here: containers of one host name have each their own pids. Undefined where that
 * cannot be read; nobody is dead there until the Lease's time is over.
 */
function machineHere(proc = "/proc"): string | undefined {
  try {
    const boot = readFileSync(`${proc}/sys/kernel/random/boot_id`, "utf8").trim();
    const pids = readlinkSync(`${proc}/self/ns/pid`);
    const digest = createHash("sha256").update(`${boot} ${pids}`).digest("hex");
    return `${hostname()}#${digest.slice(0, 12)}`;
  } catch {
    return undefined;
  }
}

/** A container may run under a uid that has no name (docker run --user). */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "unknown");
  }
}

/** Runs `work` while holding the Lease, renewing it meanwhile. @throws LeaseHeld */
export async function withLease<T>(
  kube: KubeClient,
  namespace: string,
  holder: string,
  work: (fence: Fence) => Promise<T>,
): Promise<T> {
  const lease = new HeldLease(kube, collectionOf(namespace), holder);
  await lease.acquire();
  const timer = setInterval(() => void lease.renew(DURATION_SECONDS), RENEW_EVERY_MS);
  try {
    return await work(lease);
  } finally {
    clearInterval(timer);
    await lease.renew(IDLE_SECONDS);
  }
}

class HeldLease implements Fence {
  value = 0;

  constructor(
    private readonly kube: KubeClient,
    private readonly collection: string,
    readonly holder: string,
  ) {}

  async acquire(): Promise<void> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const seen = await this.kube.find<LeaseObject>(`${this.collection}/${LEASE_NAME}`);
      if (seen !== undefined) await this.waitUntilFree(seen);
      if (await this.take(seen)) return;
    }
    throw new LeaseHeld(
      `the Lease "${LEASE_NAME}" changed hands five times in a row; wait for the other run to end`,
    );
  }

  async assertHeld(): Promise<void> {
    const lease = await this.kube.find<LeaseObject>(`${this.collection}/${LEASE_NAME}`);
    const holder = lease?.spec?.holderIdentity;
    if (holder === this.holder && lease?.spec?.leaseTransitions === this.value) return;
    throw new LeaseHeld(
      `this run (${this.holder}) lost the Lease "${LEASE_NAME}" to ${holder ?? "nobody: it was deleted"}; nothing more is done`,
    );
  }

  /** Never throws: the next assertHeld() is what decides. */
  async renew(seconds: number): Promise<void> {
    try {
      const lease = await this.kube.find<LeaseObject>(`${this.collection}/${LEASE_NAME}`);
      const mine = lease?.spec?.holderIdentity === this.holder && lease.spec.leaseTransitions === this.value;
      if (lease !== undefined && mine) await this.put(lease, this.value, seconds);
    } catch {
      // An answer that is no JSON is none either; thrown from the timer, it would end the process in mid-act.
    }
  }

  private async take(seen: LeaseObject | undefined): Promise<boolean> {
    try {
      if (seen === undefined) {
        this.value = 1;
        await this.kube.create<LeaseObject>(this.collection, {
          apiVersion: "coordination.k8s.io/v1",
          kind: "Lease",
          metadata: { name: LEASE_NAME },
          spec: { holderIdentity: this.holder, ...times(DURATION_SECONDS), leaseTransitions: 1 },
        });
      } else {
        const before = seen.spec?.leaseTransitions ?? 0;
        this.value = seen.spec?.holderIdentity === this.holder ? before : before + 1;
        await this.put(seen, this.value, DURATION_SECONDS);
      }
      return true;
    } catch (error) {
      if (error instanceof KubeError && error.status === 409) return false;
      throw error;
    }
  }

  private async put(lease: LeaseObject, transitions: number, seconds: number): Promise<void> {
    await this.kube.replace<LeaseObject>(`${this.collection}/${LEASE_NAME}`, {
      ...lease,
      spec: { ...lease.spec, holderIdentity: this.holder, ...times(seconds), leaseTransitions: transitions },
    });
  }

  /** Another clock is not trusted: a Lease is over when its renewTime stood still for its duration as seen here. */
  private async waitUntilFree(seen: LeaseObject): Promise<void> {
    const holder = seen.spec?.holderIdentity;
    if (holder === undefined || holder === null || holder === "" || holder === this.holder) return;
    if (isDeadHere(holder) || isLongOver(seen, Date.now())) return;
    const seconds = seen.spec?.leaseDurationSeconds ?? DURATION_SECONDS;
    const end = Date.now() + (seconds + 1) * 1000;
    while (Date.now() < end) {
      await delay(1000);
      const now = await this.kube.find<LeaseObject>(`${this.collection}/${LEASE_NAME}`);
      if (now === undefined || isDeadHere(holder)) return;
      if (now.metadata?.resourceVersion !== seen.metadata?.resourceVersion) {
        throw new LeaseHeld(
          `another run is at work: ${now.spec?.holderIdentity ?? holder} renewed the Lease "${LEASE_NAME}" at ${now.spec?.renewTime ?? "?"}; wait until it has ended`,
        );
      }
    }
  }
}

/** True when the Lease ended so long ago that no clock difference explains it. */
export function isLongOver(lease: LeaseObject, nowMs: number): boolean {
  const renewed = Date.parse(lease.spec?.renewTime ?? "");
  if (Number.isNaN(renewed)) return false;
  const seconds = (lease.spec?.leaseDurationSeconds ?? DURATION_SECONDS) + CLOCK_TOLERANCE_SECONDS;
  return nowMs - renewed > seconds * 1000;
}

function collectionOf(namespace: string): string {
  return `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
}

function times(seconds: number) {
  return { leaseDurationSeconds: seconds, renewTime: new Date().toISOString().replace("Z", "000Z") };
}

/** Start time of a process in clock ticks, from /proc; "ended" when there is none, "unknown" without /proc. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command name may hold spaces and brackets: count fields from the last one.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "unknown";
  } catch {
    return process.platform === "linux" ? "ended" : "unknown";
  }
}
