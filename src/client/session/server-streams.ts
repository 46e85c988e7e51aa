// A server stream as an async iterable. Each iteration is a call of its own, made when the iteration begins; leaving
// the loop early cancels it at the server.

import { deferred, type Deferred } from "../platform/deferred.ts";

/** Receives the outcome of a call: any number of `next`, then once `complete` or `error`. */
export interface CallObserver {
  /** An item of a stream. */
  next(item: unknown): void;
  complete(result: unknown): void;
  error(error: unknown): void;
}

export type Cancel = () => void;

/** `start` makes the call, and returns the function that cancels it. */
export const iterableOf = (start: (observer: CallObserver) => Cancel): AsyncIterable<unknown> => ({
  [Symbol.asyncIterator]: () => new StreamIterator(start),
});

type Result = IteratorResult<unknown, undefined>;
const DONE: Result = { done: true, value: undefined };

/** Not a generator: `return` of a generator that waits for an item takes effect only after that item. */
class StreamIterator implements AsyncIterator<unknown, undefined> {
  /** Items received before they were requested. A WebSocket has no backpressure, so a slow reader lets it grow. */
  readonly #items: unknown[] = [];
  /** `next` calls that wait for an item, oldest first. */
  readonly #requests: Deferred<Result>[] = [];
  readonly #cancel: Cancel;
  #end: { readonly error?: unknown } | undefined;

  constructor(start: (observer: CallObserver) => Cancel) {
    this.#cancel = start({
      next: (item) => this.#onItem(item),
      complete: () => this.#finish({}),
      error: (error) => this.#finish({ error }),
    });
  }

  #onItem(value: unknown): void {
    const request = this.#requests.shift();
    if (request) request.resolve({ done: false, value });
    else this.#items.push(value);
  }

  #finish(end: { readonly error?: unknown }): void {
    this.#end = end;
    for (const request of this.#requests.splice(0)) void this.#settle(request);
  }

  /** After the items, only the first request gets the error; all later ones get the end of the stream. */
  #settle(request: Deferred<Result>): Promise<Result> {
    if (this.#end && "error" in this.#end) request.reject(this.#end.error);
    else request.resolve(DONE);
    this.#end = {};
    return request.promise;
  }

  next(): Promise<Result> {
    if (this.#items.length > 0) return Promise.resolve({ done: false, value: this.#items.shift() });
    const request = deferred<Result>();
    if (this.#end) return this.#settle(request);
    this.#requests.push(request);
    return request.promise;
  }

  /** Cancels, and drops the items received so far. The reset at the end discards the error of the cancellation. */
  return(): Promise<Result> {
    this.#finish({});
    this.#cancel();
    this.#end = {};
    this.#items.length = 0;
    return Promise.resolve(DONE);
  }
}
