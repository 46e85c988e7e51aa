// Client results: calls of client methods that return a result. Each has an id, and waits for the client's answer up to
// the hub's limit. They are in memory only: if the object loses its memory, the waiting hub code is lost as well.

import { HubError } from "../../model/errors.ts";
import { systemClock, type Clock } from "../../rooms/platform/loop-timing.ts";

/** A call of a client method that awaits its result. */
interface PendingResult {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: HubError) => void;
  /** Ends the wait for the timeout. */
  cancelTimeout(): void;
}

export class ClientResults {
  readonly #pending = new Map<string, PendingResult>();
  readonly #seconds: number;
  readonly #clock: Clock;
  /**
   * Distinguishes ids of this instance. Counting starts again with the object's memory, and a late answer to an earlier
   * call must not be taken for the answer to a new one.
   */
  readonly #instance: string;
  #count = 0;
  #isClosed = false;

  /** `seconds` is the timeout of each call (`limits.answerSeconds`). */
  constructor(
    seconds: number,
    clock: Clock = systemClock,
    instance = crypto.randomUUID().slice(0, 8),
  ) {
    this.#seconds = seconds;
    this.#clock = clock;
    this.#instance = instance;
  }

  /**
   * Calls `send` with a fresh id, and resolves with the client's result, not yet validated. Rejects with `timed_out`,
   * with `interrupted` if the connection ends or has ended, or with the error passed to `refuse`.
   */
  async ask(send: (id: string) => void): Promise<unknown> {
    if (this.#isClosed) throw gone();
    // The prefix `s` separates the server's ids from a client's, as in ASP.NET Core.
    const id = `s${++this.#count}-${this.#instance}`;
    return new Promise((resolve, reject) => {
      const onTimeout = () =>
        this.refuse(id, new HubError("timed_out", "The client did not answer in time."));
      this.#pending.set(id, {
        resolve,
        reject,
        cancelTimeout: this.#clock.after(this.#seconds * 1000, onTimeout),
      });
      send(id);
    });
  }

  /** Resolves the call with this id. False if none is pending: it has timed out, or the client invented the id. */
  answer(id: unknown, result: unknown): boolean {
    const pending = this.#take(id);
    pending?.resolve(result);
    return pending !== undefined;
  }

  /** Rejects the call with this id. False as for `answer`. */
  refuse(id: unknown, error: HubError): boolean {
    const pending = this.#take(id);
    pending?.reject(error);
    return pending !== undefined;
  }

  /** Called when no more messages of the client are handled: rejects pending and later calls with `interrupted`. */
  close(): void {
    this.#isClosed = true;
    for (const id of this.#pending.keys()) this.refuse(id, gone());
  }

  #take(id: unknown): PendingResult | undefined {
    const pending = typeof id === "string" ? this.#pending.get(id) : undefined;
    if (!pending) return undefined;
    pending.cancelTimeout();
    this.#pending.delete(id as string);
    return pending;
  }
}

const gone = () => new HubError("interrupted", "The client is gone and did not answer.");
