// The clock of an open loop: calls back exactly when a message is due. Timers are late by up to a millisecond, so the
// clock spins just before; the time it spins is counted, since it is no work of the client.

const SPIN_MS = 2;

export class Clock {
  readonly #due: (dueAt: number) => void;
  readonly #intervalMs: number;
  #next = 0;
  #spinAt = 0;
  #running = true;
  /** Milliseconds spent spinning. */
  idleMs = 0;

  constructor(rate: number, due: (dueAt: number) => void) {
    this.#due = due;
    this.#intervalMs = 1_000 / rate;
  }

  start(): void {
    this.#next = performance.now() + this.#intervalMs;
    this.#wait();
  }

  stop(): void {
    this.#running = false;
  }

  #wait(): void {
    const ahead = this.#next - performance.now() - SPIN_MS;
    this.#spinAt = 0;
    if (ahead > 0) setTimeout(() => this.#spin(), Math.floor(ahead));
    else setImmediate(() => this.#spin());
  }

  /** Turns of the event loop up to this long had no socket to read. */
  static readonly #EMPTY_TURN_MS = 0.05;

  #spin(): void {
    if (!this.#running) return;
    const now = performance.now();
    const turn = now - this.#spinAt;
    if (turn < Clock.#EMPTY_TURN_MS) this.idleMs += turn;
    this.#spinAt = now;
    if (now < this.#next) return void setImmediate(() => this.#spin());
    while (this.#next <= now) {
      this.#due(this.#next);
      this.#next += this.#intervalMs;
    }
    this.#wait();
  }
}
