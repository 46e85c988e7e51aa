// Streams from a client: items arrive as messages, and a method reads them as an async iterable. Unread items are
// bounded in count and bytes. A client that exceeds the bound loses that stream, not its connection.

import { HubError } from "../../model/errors.ts";
import { heldBy, type ConnectionBytes } from "../../rooms/connection/held-bytes.ts";

/** An item that waits to be read. `held`: the memory that it takes meanwhile. */
type Item = { readonly value: unknown; readonly bytes: number; readonly held: number };

/** Bounds of the unread items of one stream. */
interface UploadLimits {
  readonly items: number;
  /** As received: an item counts its share of the frame, in characters for text frames. */
  readonly bytes: number;
  /** The connection's budget of memory. */
  readonly held: Pick<ConnectionBytes, "take" | "release">;
}

export class UploadStream implements AsyncIterable<unknown> {
  readonly #limits: UploadLimits;
  readonly #items: Item[] = [];
  #bytes = 0;
  /** Set at the end of the stream; `error` is null for a regular end. */
  #completion: { readonly error: Error | null } | undefined;
  /** Continues the reader, if it waits for an item. */
  #wake: (() => void) | undefined;

  constructor(limits: UploadLimits) {
    this.#limits = limits;
  }

  /** Adds an item. Ignored after the end; beyond the bounds it ends the stream with `rate_limited` or `busy`. */
  push(value: unknown, bytes: number): void {
    if (this.#completion) return;
    const { items, bytes: maxBytes, held: budget } = this.#limits;
    if (this.#items.length >= items || this.#bytes + bytes > maxBytes)
      return this.end(
        new HubError("rate_limited", "Stream items arrive faster than they are read."),
      );
    const held = heldBy(value, bytes);
    if (!budget.take(held)) return this.end(tooMuchHeld());
    this.#items.push({ value, bytes, held });
    this.#bytes += bytes;
    this.#wake?.();
  }

  /** Ends the stream; the first end counts. The reader gets the error after the items that arrived before it. */
  end(error: Error | null): void {
    this.#completion ??= { error };
    this.#wake?.();
  }

  /** For one reader. If it stops early, the remaining items are dropped, and later ones ignored. */
  async *[Symbol.asyncIterator](): AsyncIterator<unknown> {
    try {
      for (;;) {
        const item = this.#items.shift();
        if (item) {
          this.#bytes -= item.bytes;
          this.#limits.held.release(item.held);
          yield item.value;
        } else if (this.#completion) {
          if (this.#completion.error) throw this.#completion.error;
          return;
        } else await new Promise<void>((wake) => (this.#wake = wake));
      }
    } finally {
      this.drop();
    }
  }

  /** Ends the stream without its unread items: its reader has stopped, or its call has ended. */
  drop(): void {
    this.end(null);
    for (const { held } of this.#items.splice(0)) this.#limits.held.release(held);
  }
}

/** The error of a request that does not fit into memory; requests that are held already are served. */
export const tooMuchHeld = (): HubError =>
  new HubError("busy", "Too much is waiting to be served; try again later.");

/** The error of one stream too many, of either direction. */
export const tooManyStreams = (most: number): HubError =>
  new HubError(
    "too_many_streams",
    `${most} streams are open already (limits.streamsPerConnection).`,
  );
