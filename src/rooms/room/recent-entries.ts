// The newest entries of a room that not all of its followers have yet, in memory. Older ones are read from the log.

import { memoryOf } from "../delivery/outbox.ts";
import type { Entry } from "../rpc/log-entry.ts";

const ENTRIES_AT_MOST = 1_000;
const BYTES_AT_MOST = 40 * 1024 * 1024;

/** Consecutive entries, up to the newest one. */
export class RecentEntries {
  #entries: Entry[] = [];
  #bytes = 0;

  get all(): readonly Entry[] {
    return this.#entries;
  }

  /** They must follow on the entries before. */
  add(entries: readonly Entry[]): void {
    this.#entries.push(...entries);
    for (const { params } of entries) this.#bytes += memoryOf(params);
    while (this.#entries.length > ENTRIES_AT_MOST || this.#bytes > BYTES_AT_MOST)
      if (!this.#dropOldest()) break;
  }

  /** False where one entry alone is so large. */
  #dropOldest(): boolean {
    const dropped = this.#entries.splice(0, Math.floor(this.#entries.length / 2));
    for (const { params } of dropped) this.#bytes -= memoryOf(params);
    return dropped.length > 0;
  }

  forget(): void {
    this.#entries = [];
    this.#bytes = 0;
  }

  /** Undefined where memory does not reach back so far. */
  after(startOffset: number): readonly Entry[] | undefined {
    const first = this.#entries[0]?.offset ?? Infinity;
    // Offsets are consecutive: each batch for each follower costs what it brings.
    return first <= startOffset + 1 ? this.#entries.slice(startOffset + 1 - first) : undefined;
  }
}
