// A request's body as Connect's library reads it; the library itself bounds no wait for the next piece.

import { inTime } from "../../model/bounded.ts";
import { HubError } from "../../model/errors.ts";
import { connectError } from "./errors.ts";

/** Nobody listens while a caller keeps its message to itself. */
const IDLE_MS = 90_000;

/** Taken hold of once it is read, so that what is refused before can be thrown away by whoever holds the request. */
export class Body implements AsyncIterable<Uint8Array> {
  readonly #body: ReadableStream<Uint8Array> | null;
  readonly #isPatient: boolean;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  /** A patient reader waits as long as the call lasts. */
  constructor(body: ReadableStream<Uint8Array> | null, isPatient: boolean) {
    this.#body = body;
    this.#isPatient = isPatient;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () => this.#next(),
      throw: async (error: unknown) => {
        await this.#reader?.cancel(error);
        return { done: true, value: undefined };
      },
    };
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    if (!this.#body) return { done: true, value: undefined };
    this.#reader ??= this.#body.getReader();
    const read = this.#reader.read() as Promise<IteratorResult<Uint8Array>>;
    return this.#isPatient ? read : inTime(IDLE_MS, read, late);
  }
}

const late = () => connectError(new HubError("timed_out", "Nothing more of the request came."));
