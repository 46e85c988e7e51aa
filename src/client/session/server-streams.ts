// A server's stream as an async iterable. Each iteration is a call of its own, made when it begins; breaking off
// cancels it.

import { deferred, type Deferred } from "../transport/deferred.ts";

/** What becomes of a call. */
export interface Sink {
  item(value: unknown): void;
  done(result: unknown): void;
  failed(error: unknown): void;
}

export type Cancel = () => void;

export const readable = (start: (sink: Sink) => Cancel): AsyncIterable<unknown> => ({
  [Symbol.asyncIterator]: () => new Reading(start),
});

type Result = IteratorResult<unknown, undefined>;
const DONE: Result = { done: true, value: undefined };

/** By hand, because a generator that waits for an item cannot be told to stop. */
class Reading implements AsyncIterator<unknown, undefined> {
  /** What came and was not asked for. Nothing can push back on a socket, so it grows with a slow reader. */
  readonly #items: unknown[] = [];
  readonly #waiting: Deferred<Result>[] = [];
  readonly #cancel: Cancel;
  #ended: { readonly error?: unknown } | undefined;

  constructor(start: (sink: Sink) => Cancel) {
    this.#cancel = start({
      item: (value) => this.#take(value),
      done: () => this.#end({}),
      failed: (error) => this.#end({ error }),
    });
  }

  #take(value: unknown): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting.resolve({ done: false, value });
    else this.#items.push(value);
  }

  #end(how: { readonly error?: unknown }): void {
    this.#ended = how;
    for (const waiting of this.#waiting.splice(0)) void this.#last(waiting);
  }

  /** An error is told once; after it the stream is over. */
  #last(waiting: Deferred<Result>): Promise<Result> {
    if (this.#ended && "error" in this.#ended) waiting.reject(this.#ended.error);
    else waiting.resolve(DONE);
    this.#ended = {};
    return waiting.promise;
  }

  next(): Promise<Result> {
    if (this.#items.length > 0) return Promise.resolve({ done: false, value: this.#items.shift() });
    const waiting = deferred<Result>();
    if (this.#ended) return this.#last(waiting);
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  return(): Promise<Result> {
    this.#end({});
    this.#cancel();
    this.#ended = {};
    this.#items.length = 0;
    return Promise.resolve(DONE);
  }
}
