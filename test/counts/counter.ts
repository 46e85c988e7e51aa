// Counts what one operation costs the platform: rows, keys, alarms, calls between objects, wakes, and work with keys.
// The engine's own classes are patched, once for each isolate: nothing of ours knows of it.
//
// Alarms are kept here and rung by a test (clock.ts): an hour of an object passes in milliseconds.

/** By name; names without a count are absent. */
export type Counts = Readonly<Record<string, number>>;

export type Kind = "room" | "relay" | "account";

/** An object as the platform sees it. */
export interface Made {
  readonly kind: Kind;
  readonly name: string;
}

class Counter {
  #counts = new Map<string, number>();
  readonly #rowsOf = new Map<string, number>();
  /** Calls, timers and computations under way: an operation is over when there are none. */
  underWay = 0;
  /** Alarms by object name. */
  readonly alarms = new Map<string, number>();
  /** Objects in memory, and when each was last used. */
  readonly awake = new Map<string, Made & { usedAt: number }>();
  readonly #owners = new WeakMap<object, Made>();

  add(name: string, count = 1): void {
    if (count !== 0) this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }

  /** Rows of one statement, so that a changed count can be explained. */
  addRows(query: string, read: number, written: number): void {
    this.add("rows read", read);
    this.add("rows written", written);
    const text = query.replaceAll(/\s+/g, " ").trim().slice(0, 80);
    if (written > 0) this.#rowsOf.set(text, (this.#rowsOf.get(text) ?? 0) + written);
  }

  begin(): void {
    this.#counts.clear();
    this.#rowsOf.clear();
  }

  get counts(): Counts {
    return Object.fromEntries([...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Rows written, by statement. */
  get statements(): Counts {
    return Object.fromEntries(this.#rowsOf);
  }

  made(of: Made, storage: object): void {
    this.add(`wakes ${of.kind}`);
    this.#owners.set(storage, of);
    this.use(of);
  }

  ownerOf(storage: object): Made | undefined {
    return this.#owners.get(storage);
  }

  use(of: Made): void {
    this.awake.set(of.name, { ...of, usedAt: Date.now() });
  }

  async whileUnderWay<T>(work: () => Promise<T>): Promise<T> {
    this.underWay += 1;
    try {
      return await work();
    } finally {
      this.underWay -= 1;
    }
  }
}

/** One of the isolate's, whichever module asks. */
const home = globalThis as { dormouseCounter?: Counter };
export const counter = (home.dormouseCounter ??= new Counter());
