import { digestOfEntries, type Digester } from "./digester";
import type { Inventory, InventoryEntry } from "./inventory";
import type { EntryNote } from "./inventoryWalk";

const PROGRESS_STEP = 100;

/** Gathers what a walk finds into one Inventory. */
export class EntryCollector {
  private readonly byId = new Map<string, InventoryEntry>();
  private readonly notCompared = new Set<string>();
  private readonly leases = new Map<string, number>();
  private tokens = 0;
  private vanished = 0;

  constructor(
    private readonly digester: Digester,
    private readonly progress: (done: number) => void = () => undefined,
  ) {}

  add(note: EntryNote): void {
    const id = this.digester.of("id", [note.kind, note.name]);
    // A name can be listed twice when a page moves under a writer: the later reading counts.
    this.byId.set(id, { id, ...note });
    if (this.byId.size % PROGRESS_STEP === 0) this.progress(this.byId.size);
  }

  leaveOut(what: string): void {
    this.notCompared.add(what);
  }

  addTokens(count: number): void {
    this.tokens += count;
  }

  addLeases(mount: string, count: number): void {
    this.leases.set(mount, (this.leases.get(mount) ?? 0) + count);
  }

  addVanished(): void {
    this.vanished++;
  }

  inventory(): Inventory {
    const entries = [...this.byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    this.progress(entries.length);
    return {
      takenAt: new Date().toISOString(),
      keyId: this.digester.keyId(),
      digest: digestOfEntries(entries),
      entries,
      counts: { tokens: this.tokens, leases: Object.fromEntries([...this.leases].sort()) },
      notCompared: [...this.notCompared].sort(),
      vanished: this.vanished,
    };
  }
}
