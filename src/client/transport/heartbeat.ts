// Sends pings, and detects a server that no longer answers. Measures time by the clock and not by counting ticks:
// browsers run the timers of a background tab once a minute, and those of a sleeping laptop not at all.

import { LATE_MS, Timer } from "../platform/timer.ts";

export interface HeartbeatOptions {
  ping(): void;
  /** Called when nothing was received for two intervals, at least one of them after a ping. Then no timer runs. */
  onSilence(): void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #timer = new Timer();
  #intervalMs = 0;
  #dueAt = 0;
  #receivedAt = 0;
  /** When the first ping since the last receipt was sent. Without a ping, silence does not prove a dead connection. */
  #pingedAt: number | undefined;
  /** Whether a late beat has replaced that ping with a new one, since the last receipt. */
  #askedAgain = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Starts, or restarts with another interval. The first ping is sent after one interval, or by `ask`. */
  start(intervalMs: number): void {
    this.#intervalMs = intervalMs;
    this.onReceive();
    this.#schedule();
  }

  #schedule(): void {
    this.#dueAt = Date.now() + this.#intervalMs;
    this.#timer.set(() => this.#beat(), this.#intervalMs);
  }

  stop(): void {
    this.#timer.clear();
  }

  /** To be called for every frame: any frame proves that the connection works. */
  onReceive(): void {
    this.#receivedAt = Date.now();
    this.#pingedAt = undefined;
    this.#askedAgain = false;
  }

  /** Pings now instead of at the next beat, for example after the device slept. No effect while stopped. */
  ask(): void {
    if (!this.#timer.isSet) return;
    this.#pingedAt ??= Date.now();
    this.#options.ping();
  }

  /**
   * A late beat follows a sleep, in which a ping or its answer may be lost although the connection survives. So it
   * pings again instead of giving up, but only once: in a background tab every beat is late.
   */
  #beat(): void {
    const now = Date.now();
    // With a tolerance, because a pong arrives a moment after its ping: the silence is a little shorter. Without the sign
    // of the difference: after the clock was set back, both times are in the future.
    const isOver = (intervals: number, since = NaN): boolean =>
      Math.abs(now - since) >= (intervals - 0.1) * this.#intervalMs;
    if (now - this.#dueAt > LATE_MS && !this.#askedAgain) {
      this.#askedAgain = true;
      this.#pingedAt = undefined;
    } else if (isOver(1, this.#pingedAt) && isOver(2, this.#receivedAt))
      return this.#options.onSilence();
    this.#schedule();
    this.ask();
  }
}
