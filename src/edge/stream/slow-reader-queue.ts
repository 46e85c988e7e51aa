// The queue between a room's socket and the reader of a response, with a limit of bytes. WebSockets have no
// backpressure: the stream of a reader that is slower than its room ends, and may be resumed from its position.

import { HubError } from "../../model/errors.ts";

/** The most bytes that may wait for a reader of a stream, whatever its format. */
export const QUEUED_BYTES = 1024 * 1024;
/** How long the queued data of a stream that ended over its limit is kept for its reader. */
export const LEFTOVER_MS = 30_000;

/** One writer, one reader. Pushes never wait; reads wait for the next push or the end. */
export class Queue<T> {
  /** Each push with its size, in order. */
  #pieces: (readonly [items: readonly T[], bytes: number])[] = [];
  #bytes = 0;
  #end: { readonly error?: unknown } | undefined;
  #more = Promise.withResolvers<void>();
  readonly #ended: () => void;
  readonly #taken: ((bytes: number) => void) | undefined;
  readonly #over = Promise.withResolvers<void>();
  #leftover: ReturnType<typeof setTimeout> | undefined;

  /**
   * `ended` is called exactly once, at the first `end` by either side, even if nobody ever reads. `taken` is called with
   * the size of each push that was read.
   */
  constructor(ended: () => void, taken?: (bytes: number) => void) {
    this.#ended = ended;
    this.#taken = taken;
    // The reader gets the error as well: an unhandled rejection here would be logged as a fault of the worker.
    this.#over.promise.catch(() => {});
  }

  /** Settles with the queue's end, without waiting until the queue is read; rejects with its error. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** True from the first `end` on, while the reader may still be reading. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /**
   * Appends items of `bytes` bytes in total; after the end they are dropped. If more bytes than the limit wait already,
   * the queue ends instead. The reader still gets the items that wait, so that it resumes later in the log: a replay
   * may be larger than the queue.
   */
  push(items: readonly T[], bytes: number): void {
    if (this.#end || items.length === 0) return;
    if (this.#bytes > QUEUED_BYTES) return this.#endFull();
    this.#bytes += bytes;
    this.#pieces.push([items, bytes]);
    this.#more.resolve();
  }

  /** Ends a full queue after a time: a reader that has gone unnoticed must not keep the items in memory for ever. */
  #endFull(): void {
    this.end(new HubError("rate_limited", "The reader is too slow."));
    this.#leftover = setTimeout(() => (this.#pieces = []), LEFTOVER_MS);
  }

  /** The reader first gets the items pushed before, and then the error, if there is one. Later calls do nothing. */
  end(error?: unknown): void {
    if (this.#end) return;
    this.#end = error === undefined ? {} : { error };
    this.#more.resolve();
    if (error === undefined) this.#over.resolve();
    else this.#over.reject(error);
    this.#ended();
  }

  /** The items in order. A reader that stops early ends the queue. Items count as read when the next are requested. */
  async *read(): AsyncGenerator<T> {
    try {
      for (;;) {
        const [items, bytes] = this.#pieces.shift() ?? [[], 0];
        yield* items;
        this.#bytes -= bytes;
        if (bytes > 0) this.#taken?.(bytes);
        if (this.#pieces.length > 0) continue;
        if (this.#end && "error" in this.#end) throw this.#end.error;
        if (this.#end) return;
        this.#more = Promise.withResolvers();
        await this.#more.promise;
      }
    } finally {
      this.end();
      clearTimeout(this.#leftover ?? null);
    }
  }
}
