// The ids under which the messages of a log were published.

import type { Entry } from "../rpc/log-entry.ts";

/**
 * Offsets of messages by publication id. In memory, read from the log when an id is first looked up. It grows with each
 * append, and is to be read again once half of it may be out of the history.
 */
export class IdIndex {
  readonly #offsets = new Map<string, number>();
  readonly #most: number;

  constructor(entries: readonly Entry[]) {
    this.add(entries);
    this.#most = 2 * this.#offsets.size + 1_000;
  }

  get isOversized(): boolean {
    return this.#offsets.size > this.#most;
  }

  add(entries: readonly Entry[]): void {
    for (const { id, offset } of entries) if (id !== undefined) this.#offsets.set(id, offset);
  }

  get(id: string): number | undefined {
    return this.#offsets.get(id);
  }
}
