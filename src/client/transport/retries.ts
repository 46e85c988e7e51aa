// Requests that the client makes by itself, made again after a refusal that may pass.

import { Timer } from "../platform/timer.ts";
import { pauseMs, type Backoff } from "./backoff.ts";

/** Where no refusal has come so long after an attempt, that has succeeded. */
const QUIET_MS = 30_000;

export class Retries {
  readonly #backoff: Backoff;
  readonly #timer = new Timer();
  #failures = 0;
  /** A refusal after this time is the first one again. */
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

  /** The connection is lost: nothing waits any more. */
  stop(): void {
    this.#failures = 0;
    this.#timer.clear();
  }
}
