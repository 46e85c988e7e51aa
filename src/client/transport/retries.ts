// Pauses before automatic requests of the client are repeated after a temporary refusal.

import { Timer } from "../platform/timer.ts";
import { pauseMs, type Backoff } from "./backoff.ts";

/** If no refusal follows an attempt within this time, it counts as a success. */
const QUIET_MS = 30_000;

export class Retries {
  readonly #backoff: Backoff;
  readonly #timer = new Timer();
  #failures = 0;
  /** A refusal after this time counts as the first one again, in milliseconds since 1970. */
  #until = 0;

  constructor(backoff: Backoff) {
    this.#backoff = backoff;
  }

  /** Calls `run` after a pause, which grows with each refusal. Replaces an earlier `run` that still waits. */
  add(run: () => void): void {
    if (Date.now() > this.#until) this.stop();
    const pause = pauseMs(this.#failures++, this.#backoff);
    this.#until = Date.now() + pause + QUIET_MS;
    this.#timer.set(run, pause);
  }

  /** To be called when the connection is lost: drops the `run` that waits. */
  stop(): void {
    this.#failures = 0;
    this.#timer.clear();
  }
}
