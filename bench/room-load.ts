// One room under load: its publisher, its subscribers, and the messages between them.

import type { Dialect } from "./dialect.ts";
import { Histogram } from "./histogram.ts";
import { RoomStream, Subscriber, type Faults } from "./verify.ts";
import type { Wire } from "./wire.ts";

/** Counters of a measurement. Deliveries count while `running` is set. */
export class Measure {
  readonly faults: Faults = { gaps: 0, duplicates: 0, bad: 0 };
  readonly latencies = new Histogram();
  delivered = 0;
  running = false;
  /** Time of the last arrival on any socket. */
  receivedAt = 0;
}

interface RoomOptions {
  readonly dialect: Dialect;
  readonly wires: readonly Wire[];
  /** The publisher; absent: the first of `wires`. */
  readonly publisher?: Wire | undefined;
  readonly measure: Measure;
  /** Messages in flight; 0: open loop. */
  readonly window: number;
}

/** Most messages in flight; powers of two. */
const IN_FLIGHT = { many: 65_536, few: 64 };
const STREAM = { many: 16 * 1024 * 1024, few: 32 * 1024 };
/** The smallest frame with a message. */
const FRAME_BYTES = 64;

export class RoomLoad {
  readonly #options: RoomOptions;
  readonly #subscribers: Subscriber[];
  readonly #publishedAt: Float64Array;
  /** The message of each place of a closed loop. */
  readonly #underWay: number[] = [];
  #published = 0;
  #stopped = false;

  constructor(options: RoomOptions) {
    this.#options = options;
    const size = options.window === 1 ? "few" : "many";
    this.#publishedAt = new Float64Array(IN_FLIGHT[size]);
    const stream = this.#stream(STREAM[size]);
    const publisherStream = options.dialect.acknowledged ? this.#stream(STREAM[size]) : stream;
    this.#subscribers = options.wires.map((wire, index) =>
      this.#subscribe(index === 0 ? publisherStream : stream, wire, index),
    );
  }

  #stream(bytes: number): RoomStream {
    const { dialect, measure } = this.#options;
    const frames = bytes / FRAME_BYTES;
    return new RoomStream({
      messagesIn: (frame) => dialect.messagesIn(frame),
      reader: (consumed) => this.#options.wires[0]!.reader(consumed),
      ...{ faults: measure.faults, bytes, frames },
    });
  }

  /** Subscribes one wire. */
  #subscribe(stream: RoomStream, wire: Wire, index: number): Subscriber {
    const { measure } = this.#options;
    const places = this.#placesPacedBy(index);
    const subscriber = new Subscriber(stream, (first, end) => {
      if (measure.running) this.#count(first, end);
      if (places.length > 0 && !this.#stopped) this.#replace(places, first, end);
    });
    wire.listen((chunk) => {
      measure.receivedAt = performance.now();
      subscriber.receive(chunk);
    });
    return subscriber;
  }

  /**
   * A closed loop has `window` places, each with one message under way and with a member that paces it: once that
   * member has its message, the next takes its place. The members are spread over the room, so that messages come when
   * deliveries allow it, as from as many clients that wait for their own; one member alone would send a whole
   * window exactly when a flush is over, which joins ideally.
   */
  #placesPacedBy(index: number): readonly number[] {
    const { window, wires } = this.#options;
    const all = Array.from({ length: window }, (_, place) => place);
    return all.filter((place) => Math.ceil(((place + 1) * wires.length) / window) - 1 === index);
  }

  /** Publishes the next message of each place whose message is among those received. */
  #replace(places: readonly number[], first: number, end: number): void {
    for (const place of places) {
      const seq = this.#underWay[place]!;
      if (seq < first || seq >= end) continue;
      this.publish(1);
      this.#underWay[place] = this.#published;
    }
  }

  #count(first: number, end: number): void {
    const { measure } = this.#options;
    const mask = this.#publishedAt.length - 1;
    for (let seq = first; seq < end; seq++)
      measure.latencies.add(measure.receivedAt - this.#publishedAt[seq & mask]!);
    measure.delivered += end - first;
  }

  /** Starts a closed loop. */
  start(): void {
    const { window } = this.#options;
    for (let place = 0; place < window; place++) this.#underWay.push(place + 1);
    this.publish(window);
  }

  /** Publishes `count` messages in one write. Latencies count from `dueAt`. */
  publish(count: number, dueAt = performance.now()): void {
    const { dialect, wires, publisher = wires[0]! } = this.#options;
    const frames: Buffer[] = [];
    for (let i = 0; i < count; i++) {
      this.#publishedAt[++this.#published & (this.#publishedAt.length - 1)] = dueAt;
      frames.push(publisher.frame(dialect.publishFrame(this.#published, publisher.room)));
    }
    publisher.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames));
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Messages that some subscriber has not received. */
  get backlog(): number {
    return this.#subscribers.reduce((most, { seq }) => Math.max(most, this.#published - seq), 0);
  }

  get frames(): number {
    return this.#subscribers.reduce((sum, { frames }) => sum + frames, 0);
  }

  get records(): number {
    return this.#subscribers.reduce((sum, { seq }) => sum + seq, 0);
  }
}
