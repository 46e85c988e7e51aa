// Load of calls: one in flight on every socket; the next one starts with the answer.

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

  /** Unanswered calls. */
  get underWay(): number {
    return this.#callers.filter(({ isWaiting }) => isWaiting).length;
  }
}

class Caller {
  readonly #dialect: Dialect;
  readonly #measure: Measure;
  readonly #wire: Wire;
  #calls = 0;
  #calledAt = 0;
  isWaiting = false;
  stopped = false;

  constructor(dialect: Dialect, measure: Measure, wire: Wire) {
    [this.#dialect, this.#measure, this.#wire] = [dialect, measure, wire];
    const reader = wire.reader();
    wire.listen((chunk) => reader.read(chunk, ({ text }) => this.#receive(text)));
  }

  call(): void {
    this.#calledAt = performance.now();
    this.isWaiting = true;
    const seq = ++this.#calls;
    const { room } = this.#wire;
    const { callFrame, publishFrame } = this.#dialect;
    this.#wire.send(callFrame?.(seq, room) ?? publishFrame(seq, room));
  }

  #receive(frame: string): void {
    for (const seq of this.#dialect.answersIn?.(frame) ?? this.#dialect.messagesIn(frame)) {
      if (Number.isNaN(seq)) this.#measure.faults.bad++;
      else if (seq !== this.#calls || !this.isWaiting) this.#measure.faults.duplicates++;
      else this.#complete();
    }
  }

  #complete(): void {
    this.isWaiting = false;
    if (this.#measure.running) {
      this.#measure.latencies.add(performance.now() - this.#calledAt);
      this.#measure.delivered++;
    }
    if (!this.stopped) this.call();
  }
}
