// Streams from a client: items arrive as messages and are read by a method as an async iterable. What waits to be
// read is bounded in count and bytes; a client that overruns its reader loses that stream, not its connection.

import { HubError } from "../../model/errors.ts";

type Item = { readonly value: unknown; readonly bytes: number };

export interface UploadLimits {
  readonly items: number;
  readonly bytes: number;
}

export class UploadStream implements AsyncIterable<unknown> {
  readonly #limits: UploadLimits;
  readonly #items: Item[] = [];
  #bytes = 0;
  /** Why there will be no more: null for a regular end. */
  #ended: { readonly error: Error | null } | undefined;
  #wake: (() => void) | undefined;

  constructor(limits: UploadLimits) {
    this.#limits = limits;
  }

  push(value: unknown, bytes: number): void {
    if (this.#ended) return;
    const { items, bytes: most } = this.#limits;
    if (this.#items.length >= items || this.#bytes + bytes > most)
      return this.end(
        new HubError("rate_limited", "Stream items arrive faster than they are read."),
      );
    this.#items.push({ value, bytes });
    this.#bytes += bytes;
    this.#wake?.();
  }

  /** No more will come. With an error the reader meets it after what came before. */
  end(error: Error | null): void {
    this.#ended ??= { error };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<unknown> {
    try {
      for (;;) {
        const item = this.#items.shift();
        if (item) {
          this.#bytes -= item.bytes;
          yield item.value;
        } else if (this.#ended) {
          if (this.#ended.error) throw this.#ended.error;
          return;
        } else await new Promise<void>((wake) => (this.#wake = wake));
      }
    } finally {
      this.end(null);
      this.#items.length = 0;
    }
  }
}
