// The newest entries of a room's log in memory, so that a batch for its followers is not read from the log again.

import type { Entry } from "../rpc/log-entry.ts";

/** Older ones are read from the log. */
const ENTRIES_AT_MOST = 1_000;
/** Characters of their parameters; one entry alone may have more. */
const CHARS_AT_MOST = 40 * 1024 * 1024;

export class RecentEntries {
  #entries: Entry[] = [];
  #chars = 0;

  get all(): readonly Entry[] {
    return this.#entries;
  }

  /** They must follow on the entries before. */
  add(entries: readonly Entry[]): void {
    this.#entries.push(...entries);
    for (const { params } of entries) this.#chars += params.length;
    if (this.#entries.length > ENTRIES_AT_MOST || this.#chars > CHARS_AT_MOST) this.#dropOldest();
  }

  #dropOldest(): void {
    let first = Math.max(0, this.#entries.length - ENTRIES_AT_MOST);
    for (const { params } of this.#entries.slice(0, first)) this.#chars -= params.length;
    for (; this.#chars > CHARS_AT_MOST && first < this.#entries.length - 1; first++)
      this.#chars -= this.#entries[first]!.params.length;
    this.#entries = this.#entries.slice(first);
  }

  /** Undefined where memory does not reach back so far. */
  after(offset: number): readonly Entry[] | undefined {
    const first = this.#entries[0]?.offset ?? Infinity;
    return first <= offset + 1 ? this.#entries.filter((entry) => entry.offset > offset) : undefined;
  }

  /** All followers have them, or entries without a follower are not added from now on. */
  clear(): void {
    this.#entries = [];
    this.#chars = 0;
  }
}
