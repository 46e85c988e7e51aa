// The calls of one connection that run one after another, or as many at once as the hub allows; the others wait for their
// turn, in the order of arrival.

import { HubError } from "../../model/errors.ts";
import type { CallId } from "../../model/message.ts";
import type { Limits } from "../../model/options.ts";
import { settledWithin } from "../../rooms/platform/settled-within.ts";

/** A call that has begun or waits for its turn. */
export interface OpenCall {
  /** Absent: the caller expects no answer. */
  readonly id: CallId | undefined;
  /** Whether its items are sent under its id. */
  readonly streams?: boolean;
  /** Runs to the end and never rejects. `release` lets the connection's next call begin before that. */
  run(release: () => void): Promise<void>;
  /** Answers the call with this error. May be repeated. */
  cancel(error: HubError): void;
}

/** Starts a call. `release` ends its turn; the call may go on after that. */
type RunCall = (call: OpenCall, release: () => void) => void;

export class CallQueue {
  readonly #run: RunCall;
  readonly #waiting: OpenCall[] = [];
  #running = 0;
  /** Resolved when a turn ends and no call waits for it. */
  #done: PromiseWithResolvers<void> | undefined;

  constructor(run: RunCall) {
    this.#run = run;
  }

  /** Throws `rate_limited` where no further call may wait. */
  checkRoom({ parallelCalls, queuedCalls }: Limits): void {
    if (this.#running >= parallelCalls && this.#waiting.length >= queuedCalls)
      throw new HubError("rate_limited", `${queuedCalls} calls are waiting already.`);
  }

  add(call: OpenCall, { parallelCalls }: Limits): void {
    if (this.#running < parallelCalls) this.#start(call);
    else this.#waiting.push(call);
  }

  /** Occupies a turn until the call ends or releases it. */
  #start(call: OpenCall): void {
    this.#running++;
    let held = true;
    this.#run(call, () => {
      if (!held) return;
      held = false;
      this.#running--;
      const next = this.#waiting.shift();
      if (next) this.#start(next);
      else this.#done?.resolve();
    });
  }

  isWaiting(call: OpenCall): boolean {
    return this.#waiting.includes(call);
  }

  /** False where the call does not wait. */
  remove(call: OpenCall): boolean {
    const place = this.#waiting.indexOf(call);
    if (place >= 0) this.#waiting.splice(place, 1);
    return place >= 0;
  }

  /** Waiting calls never begin. */
  clear(): void {
    this.#waiting.length = 0;
  }

  /** Done when every waiting call has had its turn. Those that still wait after `seconds` get none. */
  async served(seconds: number): Promise<void> {
    if (this.#waiting.length === 0) return;
    this.#done ??= Promise.withResolvers();
    await settledWithin(seconds * 1000, [this.#done.promise]);
    this.clear();
  }
}
