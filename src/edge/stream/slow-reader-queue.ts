// What waits for the reader of a stream, within a limit: nothing can push back on the socket that it comes from.

import { HubError } from "../../model/errors.ts";

/** Bytes; more, and the reader may come back and resume. */
const QUEUED_BYTES = 1024 * 1024;

export class Queue<T> {
  /** With the size of each piece. */
  #pieces: (readonly [items: readonly T[], bytes: number])[] = [];
  #bytes = 0;
  #end: { readonly error?: unknown } | undefined;
  #more = Promise.withResolvers<void>();
  readonly #ended: () => void;
  readonly #over = Promise.withResolvers<void>();

  /** `ended` is called once, whoever ends it: also where the reader never reads again. */
  constructor(ended: () => void) {
    this.#ended = ended;
    // Whoever reads is told as well.
    this.#over.promise.catch(() => {});
  }

  /** Ends as the queue does, without what is left in it. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  push(items: readonly T[], bytes: number): void {
    if (this.#end || items.length === 0) return;
    this.#bytes += bytes;
    if (this.#bytes > QUEUED_BYTES) {
      this.#pieces = [];
      return this.end(new HubError("rate_limited", "The reader is too slow."));
    }
    this.#pieces.push([items, bytes]);
    this.#more.resolve();
  }

  /** What was pushed is read to its end first. */
  end(error?: unknown): void {
    if (this.#end) return;
    this.#end = error === undefined ? {} : { error };
    this.#more.resolve();
    if (error === undefined) this.#over.resolve();
    else this.#over.reject(error);
    this.#ended();
  }

  async *read(): AsyncGenerator<T> {
    try {
      for (;;) {
        const [items, bytes] = this.#pieces.shift() ?? [[], 0];
        yield* items;
        this.#bytes -= bytes;
        if (this.#pieces.length > 0) continue;
        if (this.#end && "error" in this.#end) throw this.#end.error;
        if (this.#end) return;
        this.#more = Promise.withResolvers();
        await this.#more.promise;
      }
    } finally {
      this.end();
    }
  }
}
