// Calls that are answered: one under way on every socket, and the next as soon as the answer is there.

import type { Dialect } from "./dialect.ts";
import type { Measure } from "./room-load.ts";
import type { Wire } from "./wire.ts";

export class EchoLoad {
  readonly #callers: readonly Caller[];

  constructor(dialect: Dialect, measure: Measure, wires: readonly Wire[]) {
    this.#callers = wires.map((wire) => new Caller(dialect, measure, wire));
  }

  start(): void {
    for (const caller of this.#callers) caller.call();
  }

  stop(): void {
    for (const caller of this.#callers) caller.stopped = true;
  }

  /** Calls that have not been answered. */
  get underWay(): number {
    return this.#callers.filter(({ waits }) => waits).length;
  }
}

class Caller {
  readonly #dialect: Dialect;
  readonly #measure: Measure;
  readonly #wire: Wire;
  #asked = 0;
  #askedAt = 0;
  waits = false;
  stopped = false;

  constructor(dialect: Dialect, measure: Measure, wire: Wire) {
    [this.#dialect, this.#measure, this.#wire] = [dialect, measure, wire];
    const reader = wire.reader();
    wire.listen((chunk) => reader.read(chunk, ({ text }) => this.#hear(text)));
  }

  call(): void {
    this.#askedAt = performance.now();
    this.waits = true;
    const seq = ++this.#asked;
    this.#wire.say(this.#dialect.ask?.(seq) ?? this.#dialect.say(seq, this.#wire.room));
  }

  #hear(frame: string): void {
    for (const seq of this.#dialect.answers?.(frame) ?? this.#dialect.heard(frame)) {
      if (Number.isNaN(seq)) this.#measure.faults.bad++;
      else if (seq !== this.#asked || !this.waits) this.#measure.faults.duplicates++;
      else this.#answered();
    }
  }

  #answered(): void {
    this.waits = false;
    if (this.#measure.running) {
      this.#measure.latencies.add(performance.now() - this.#askedAt);
      this.#measure.delivered++;
    }
    if (!this.stopped) this.call();
  }
}
