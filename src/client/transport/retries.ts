// Requests that the client makes by itself, made again after a refusal that may pass.

import { Timer } from "../platform/timer.ts";
import { pauseMs, type Backoff } from "./backoff.ts";

export class Retries {
  readonly #backoff: Backoff;
  readonly #timer = new Timer();
  #failures = 0;

  constructor(backoff: Backoff) {
    this.#backoff = backoff;
  }

  /** Calls `run` after a pause, which grows with each call until `stop`. Replaces an earlier `run` that still waits. */
  add(run: () => void): void {
    this.#timer.set(run, pauseMs(this.#failures++, this.#backoff));
  }

  /** The request succeeded, or its connection is lost: nothing waits any more. */
  stop(): void {
    this.#failures = 0;
    this.#timer.clear();
  }
}
