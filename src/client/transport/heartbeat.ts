// Says that we live, and notices when nobody answers. Judged by the time, not by ticks: a background tab's timers
// come once a minute, and a laptop's not at all while it sleeps.

import { Timer } from "./timer.ts";

export interface HeartbeatOptions {
  now(): number;
  ping(): void;
  /** Nothing was heard for two intervals, although we asked. */
  dead(): void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #timer = new Timer();
  #intervalMs = 0;
  #heardAt = 0;
  /** The first ping since something was heard: without one, silence means nothing. */
  #askedAt: number | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  start(intervalMs: number): void {
    this.stop();
    this.#intervalMs = intervalMs;
    this.heard();
    this.#wait();
  }

  #wait(): void {
    this.#timer.set(() => this.#beat(), this.#intervalMs);
  }

  stop(): void {
    this.#timer.clear();
  }

  heard(): void {
    this.#heardAt = this.#options.now();
    this.#askedAt = undefined;
  }

  /** Out of turn: after a sleep, say. */
  check(): void {
    if (this.#timer.isSet) this.#beat();
  }

  #beat(): void {
    const now = this.#options.now();
    if (this.#isDead(now)) {
      this.stop();
      return this.#options.dead();
    }
    this.#wait();
    this.#askedAt ??= now;
    this.#options.ping();
  }

  /** An answer comes a moment after its ping, so two intervals of silence are a moment less. */
  #isDead(now: number): boolean {
    const tolerance = this.#intervalMs / 10;
    return (
      this.#askedAt !== undefined &&
      now - this.#askedAt >= this.#intervalMs - tolerance &&
      now - this.#heardAt >= 2 * this.#intervalMs - tolerance
    );
  }
}
