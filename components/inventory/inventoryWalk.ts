import type { Digester } from "./digester";
import type { EntryCollector } from "./entryCollector";
import type { InventoryReader, JsonObject, Listing, Reading } from "./inventoryReader";
import type { Task, TaskStack } from "./taskStack";

export type EntryKind =
  | "namespace"
  | "mount"
  | "auth"
  | "audit"
  | "policy"
  | "quota"
  | "kv1"
  | "kv2"
  | "transit-key"
  | "transit-probe"
  | "identity"
  | "auth-item"
  | "engine-item";

/** An entry before it has an id. */
export interface EntryNote {
  readonly kind: EntryKind;
  /** Namespace and mount path, with slash at the end. */
  readonly mount: string;
  /** Namespace and API path. */
  readonly name: string;
  /** Current version of what has versions. */
  readonly version?: number;
  readonly digests: readonly string[];
}

/** Where an entry lies, inside the walk's namespace. */
export interface Place {
  readonly kind: EntryKind;
  readonly mount: string;
  /** API path below the mount. */
  readonly path: string;
}

/** One namespace being read: what its readers need, and nothing else. */
export class InventoryWalk {
  constructor(
    private readonly reader: InventoryReader,
    private readonly digester: Digester,
    private readonly collector: EntryCollector,
    private readonly tasks: TaskStack,
    /** "" for the root namespace, else with slash at the end. */
    readonly namespace = "",
  ) {}

  into(namespace: string): InventoryWalk {
    const path = namespace === "" || namespace.endsWith("/") ? namespace : `${namespace}/`;
    return new InventoryWalk(this.reader, this.digester, this.collector, this.tasks, path);
  }

  later(task: Task): void {
    this.tasks.push(task);
  }

  read(path: string, query?: string): Promise<Reading> {
    return this.reader.read(this.namespace, path, query);
  }

  list(path: string, query?: string): Promise<Listing> {
    return this.reader.list(this.namespace, path, query);
  }

  decrypt(path: string, ciphertext: string): Promise<Reading> {
    return this.reader.decrypt(this.namespace, path, ciphertext);
  }

  /** A read without which there is no inventory at all. @throws Error for every status but 200. */
  async need(path: string): Promise<JsonObject> {
    const { status, data } = await this.read(path);
    if (status !== 200)
      throw new Error(`GET ${path} answered ${status}, expected 200; the inventory needs it`);
    return data;
  }

  digest(place: string, value: unknown): string {
    return this.digester.of(place, value);
  }

  /** Digest bound to the place of an entry and to a part of it. */
  digestAt(place: Place, part: string, value: unknown): string {
    return this.digester.of(`${place.kind} ${part} ${this.nameOf(place)}`, value);
  }

  note(place: Place, digests: readonly string[], version?: number): void {
    this.collector.add({
      kind: place.kind,
      mount: this.namespace + place.mount,
      name: this.nameOf(place),
      ...(version !== undefined && { version }),
      digests,
    });
  }

  noteContent(place: Place, value: unknown): void {
    this.note(place, [`c:${this.digestAt(place, "c", value)}`]);
  }

  noteUnreadable(place: Place): void {
    this.note(place, ["u"]);
  }

  /** Reads one entry that has no versions and notes what `keep` leaves of it; 404 counts as vanished. */
  async noteRead(place: Place, keep: (data: JsonObject) => JsonObject = (data) => data): Promise<void> {
    const { status, data } = await this.read(place.mount + place.path);
    if (status === 404) this.vanished();
    else if (status === 200) this.noteContent(place, keep(data));
    else this.noteUnreadable(place);
  }

  leaveOut(what: string): void {
    this.collector.leaveOut(this.namespace + what);
  }

  tokens(count: number): void {
    this.collector.addTokens(count);
  }

  leases(mount: string, count: number): void {
    this.collector.addLeases(this.namespace + mount, count);
  }

  vanished(): void {
    this.collector.addVanished();
  }

  private nameOf(place: Place): string {
    return this.namespace + place.mount + place.path;
  }
}
