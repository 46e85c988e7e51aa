// Sends pings, and detects a server that no longer answers. Judged by the clock and not by counting ticks: browsers
// run the timers of a background tab once a minute, and those of a sleeping laptop not at all.

import { LATE_MS, Timer } from "../platform/timer.ts";

export interface HeartbeatOptions {
  ping(): void;
  /** Nothing was received for two intervals, at least one of them after a ping. The heartbeat has stopped. */
  onSilence(): void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #timer = new Timer();
  #intervalMs = 0;
  #dueAt = 0;
  #receivedAt = 0;
  /** The first ping since the last receipt. Without a ping, silence does not prove a dead connection. */
  #pingedAt: number | undefined;
  /** A beat that came late has put a new ping in place of that one, since the last receipt. */
  #askedAgain = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Also restarts, with another interval. The first ping goes out after one interval, or by `ask`. */
  start(intervalMs: number): void {
    this.stop();
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

  /** To be called for every frame: any frame proves that the connection lives. */
  onReceive(): void {
    this.#receivedAt = Date.now();
    this.#pingedAt = undefined;
    this.#askedAgain = false;
  }

  /** Pings now and not only at the next tick, for example after the device slept. No effect while stopped. */
  ask(): void {
    if (!this.#timer.isSet) return;
    this.#pingedAt ??= Date.now();
    this.#options.ping();
  }

  /**
   * A late beat follows a sleep, in which a ping or its answer may have been lost without the connection. So it asks
   * again instead of giving up, but once: in a background tab every beat is late.
   */
  #beat(): void {
    const now = Date.now();
    if (now - this.#dueAt > LATE_MS && !this.#askedAgain) {
      this.#askedAgain = true;
      this.#pingedAt = undefined;
    } else if (this.#isSilent(now)) return this.#options.onSilence();
    this.#schedule();
    this.ask();
  }

  /** A pong arrives a moment after its ping, so the silence is measured as slightly less than two intervals. */
  #isSilent(now: number): boolean {
    const tolerance = this.#intervalMs / 10;
    return (
      this.#pingedAt !== undefined &&
      now - this.#pingedAt >= this.#intervalMs - tolerance &&
      now - this.#receivedAt >= 2 * this.#intervalMs - tolerance
    );
  }
}
