// One room under load: who speaks, who listens, what has been said and heard.

import type { Dialect } from "./dialect.ts";
import { Histogram } from "./histogram.ts";
import { RoomStream, Subscriber, type Faults } from "./verify.ts";
import type { Wire } from "./wire.ts";

/** Counts what arrives while the clock runs. */
export class Measure {
  readonly faults: Faults = { gaps: 0, duplicates: 0, bad: 0 };
  readonly latencies = new Histogram();
  delivered = 0;
  running = false;
  /** When something last arrived anywhere. */
  heardAt = 0;
}

export interface RoomOptions {
  readonly dialect: Dialect;
  readonly wires: readonly Wire[];
  /** Who speaks, if it is none of those who listen; otherwise the first of them does. */
  readonly speaker?: Wire | undefined;
  readonly measure: Measure;
  /** Messages under way at once; 0: open loop. */
  readonly window: number;
}

/** Messages that may be under way; a power of two. */
const UNDER_WAY = { many: 65_536, few: 64 };
const STREAM = { many: 16 * 1024 * 1024, few: 32 * 1024 };
/** No frame with a message is smaller. */
const FRAME_BYTES = 64;

export class RoomLoad {
  readonly #options: RoomOptions;
  readonly #subscribers: Subscriber[];
  readonly #saidAt: Float64Array;
  #said = 0;
  #stopped = false;

  constructor(options: RoomOptions) {
    this.#options = options;
    const size = options.window === 1 ? "few" : "many";
    this.#saidAt = new Float64Array(UNDER_WAY[size]);
    const stream = this.#stream(STREAM[size]);
    const speakers = options.dialect.answered ? this.#stream(STREAM[size]) : stream;
    this.#subscribers = options.wires.map((wire, index) =>
      this.#subscribe(index === 0 ? speakers : stream, wire, index),
    );
  }

  #stream(bytes: number): RoomStream {
    const { dialect, measure } = this.#options;
    const frames = bytes / FRAME_BYTES;
    return new RoomStream({
      heard: (frame) => dialect.heard(frame),
      reader: (consumed) => this.#options.wires[0]!.reader(consumed),
      ...{ faults: measure.faults, bytes, frames },
    });
  }

  /** The last one in sets the pace: what it has heard, nearly everybody has. */
  #subscribe(stream: RoomStream, wire: Wire, index: number): Subscriber {
    const { measure, window, wires } = this.#options;
    const paces = window > 0 && index === wires.length - 1;
    const subscriber = new Subscriber(stream, (first, end) => {
      if (measure.running) this.#count(first, end);
      if (paces && !this.#stopped) this.say(end - first);
    });
    wire.listen((chunk) => {
      measure.heardAt = performance.now();
      subscriber.receive(chunk);
    });
    return subscriber;
  }

  #count(first: number, end: number): void {
    const { measure } = this.#options;
    const mask = this.#saidAt.length - 1;
    for (let seq = first; seq < end; seq++)
      measure.latencies.add(measure.heardAt - this.#saidAt[seq & mask]!);
    measure.delivered += end - first;
  }

  /** Begins a closed loop. */
  start(): void {
    this.say(this.#options.window);
  }

  /** Says some messages in one write; `dueAt` is when they should have been said. */
  say(count: number, dueAt = performance.now()): void {
    const { dialect, wires, speaker = wires[0]! } = this.#options;
    const frames: Buffer[] = [];
    for (let i = 0; i < count; i++) {
      this.#saidAt[++this.#said & (this.#saidAt.length - 1)] = dueAt;
      frames.push(speaker.frame(dialect.say(this.#said, speaker.room)));
    }
    speaker.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames));
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Messages said that somebody has not heard yet. */
  get backlog(): number {
    return this.#subscribers.reduce((most, { seq }) => Math.max(most, this.#said - seq), 0);
  }

  get frames(): number {
    return this.#subscribers.reduce((sum, { frames }) => sum + frames, 0);
  }

  get records(): number {
    return this.#subscribers.reduce((sum, { seq }) => sum + seq, 0);
  }
}
