// Sends pings, and detects a server that no longer answers. Judged by the clock and not by counting ticks: browsers
// run the timers of a background tab once a minute, and those of a sleeping laptop not at all.

import { Timer } from "../platform/timer.ts";

export interface HeartbeatOptions {
  /** Milliseconds. */
  now(): number;
  ping(): void;
  /** Nothing was received for two intervals, at least one of them after a ping. The heartbeat has stopped. */
  onSilence(): void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #timer = new Timer();
  #intervalMs = 0;
  #receivedAt = 0;
  /** The first ping since the last receipt. Without a ping, silence does not prove a dead connection. */
  #pingedAt: number | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Also restarts, with another interval. The first ping goes out after one interval. */
  start(intervalMs: number): void {
    this.stop();
    this.#intervalMs = intervalMs;
    this.onReceive();
    this.#schedule();
  }

  #schedule(): void {
    this.#timer.set(() => this.#beat(), this.#intervalMs);
  }

  stop(): void {
    this.#timer.clear();
  }

  /** To be called for every frame: any frame proves that the connection lives. */
  onReceive(): void {
    this.#receivedAt = this.#options.now();
    this.#pingedAt = undefined;
  }

  /** Checks now instead of at the next tick, for example after the device slept. No effect while stopped. */
  check(): void {
    if (this.#timer.isSet) this.#beat();
  }

  #beat(): void {
    const now = this.#options.now();
    if (this.#isSilent(now)) {
      this.stop();
      return this.#options.onSilence();
    }
    this.#schedule();
    this.#pingedAt ??= now;
    this.#options.ping();
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
