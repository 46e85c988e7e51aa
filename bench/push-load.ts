// Load of services that publish over HTTP. Each has a kept connection, rooms of its own and one request in flight, so
// that the messages of a room stay in order.

import { payloadOf, type Dialect } from "./dialect.ts";
import { Histogram } from "./histogram.ts";
import { postOf, httpPosts } from "./over-http.ts";
import type { Measure } from "./room-load.ts";
import { serviceToken } from "./tokens.ts";
import { Sequence } from "./verify.ts";
import type { Wire } from "./wire.ts";

/** The dialect of a service's connection. Every request has a path of its own. */
export const SERVICE: Dialect = {
  transport: httpPosts,
  path: () => "/",
  publishFrame: payloadOf,
  messagesIn: () => [],
};

interface PushOptions {
  readonly dialect: Dialect;
  readonly measure: Measure;
  /** One per room. */
  readonly listeners: readonly Wire[];
  readonly services: readonly Wire[];
  /** Messages per request. */
  readonly batch: number;
  readonly port: number;
}

export class PushLoad {
  readonly deliveryLatencies = new Histogram();
  readonly #services: readonly Service[];
  readonly #rooms: readonly Room[];

  constructor(options: PushOptions) {
    const { listeners, services } = options;
    this.#rooms = listeners.map((wire) => new Room(wire, options, this.deliveryLatencies));
    this.#services = services.map((wire, index) => {
      const own = this.#rooms.filter((_, room) => room % services.length === index);
      return new Service(wire, own, options);
    });
  }

  start(): void {
    for (const service of this.#services) service.pushNext();
  }

  stop(): void {
    for (const service of this.#services) service.stopped = true;
  }

  /** Requests answered during the measurement. */
  get answered(): number {
    return this.#services.reduce((sum, { answered }) => sum + answered, 0);
  }

  get underWay(): number {
    return this.#services.filter(({ isWaiting }) => isWaiting).length;
  }

  get undelivered(): number {
    return this.#rooms.reduce((sum, { undelivered }) => sum + undelivered, 0);
  }
}

/** Most messages of a room in flight; a power of two. */
const IN_FLIGHT = 1_024;

class Room {
  readonly name: string;
  readonly #publishedAt = new Float64Array(IN_FLIGHT);
  readonly #sequence: Sequence;
  #published = 0;

  constructor(wire: Wire, { dialect, measure }: PushOptions, deliveryLatencies: Histogram) {
    this.name = wire.room;
    this.#sequence = new Sequence(measure.faults);
    const reader = wire.reader();
    const receive = (seq: number) => {
      this.#sequence.take(seq);
      if (!measure.running) return;
      measure.delivered++;
      deliveryLatencies.add(performance.now() - this.#publishedAt[seq & (IN_FLIGHT - 1)]!);
    };
    wire.listen((chunk) =>
      reader.read(chunk, ({ text }) => dialect.messagesIn(text).forEach(receive)),
    );
  }

  /** The room's next message. */
  nextMessage(now: number): { readonly room: string; readonly seq: number } {
    this.#publishedAt[++this.#published & (IN_FLIGHT - 1)] = now;
    return { room: this.name, seq: this.#published };
  }

  get undelivered(): number {
    return this.#published + 1 - this.#sequence.next;
  }
}

class Service {
  readonly #options: PushOptions;
  readonly #wire: Wire;
  readonly #rooms: readonly Room[];
  /** Tokens by URL: signed once each, as clients with a cache do. */
  readonly #tokens = new Map<string, string>();
  #next = 0;
  #requestedAt = 0;
  answered = 0;
  isWaiting = false;
  stopped = false;

  constructor(wire: Wire, rooms: readonly Room[], options: PushOptions) {
    [this.#wire, this.#rooms, this.#options] = [wire, rooms, options];
    const reader = wire.reader();
    wire.listen((chunk) => reader.read(chunk, ({ text }) => this.#complete(text)));
  }

  pushNext(): void {
    const { dialect, batch, port } = this.#options;
    this.#requestedAt = performance.now();
    this.isWaiting = true;
    const pushes = Array.from({ length: batch }, () => this.#room().nextMessage(this.#requestedAt));
    const { path, body } = dialect.pushRequest!(pushes);
    const host = `127.0.0.1:${port}`;
    this.#wire.write(postOf({ host, path }, body, this.#tokenFor(`http://${host}${path}`)));
  }

  /** The service's rooms in turn. */
  #room(): Room {
    return this.#rooms[this.#next++ % this.#rooms.length]!;
  }

  #tokenFor(url: string): string {
    const token = this.#tokens.get(url) ?? serviceToken(url);
    this.#tokens.set(url, token);
    return token;
  }

  #complete(text: string): void {
    const { measure } = this.#options;
    if (text.includes('"error"')) measure.faults.bad++;
    this.isWaiting = false;
    if (measure.running) {
      measure.latencies.add(performance.now() - this.#requestedAt);
      this.answered++;
    }
    if (!this.stopped) this.pushNext();
  }
}
