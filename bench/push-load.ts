// Services that push: each has a connection that is kept and rooms of its own, and one request under way, so that what is said in
// a room stays in order.

import { payloadOf, type Dialect } from "./dialect.ts";
import { Histogram } from "./histogram.ts";
import { postOf, posts } from "./over-http.ts";
import type { Measure } from "./room-load.ts";
import { serviceToken } from "./tokens.ts";
import { Sequence } from "./verify.ts";
import type { Wire } from "./wire.ts";

/** Its address is another with every request. */
export const SERVICE: Dialect = {
  transport: posts,
  path: () => "/",
  say: payloadOf,
  heard: () => [],
};

export interface PushOptions {
  readonly dialect: Dialect;
  readonly measure: Measure;
  /** One for each room. */
  readonly listeners: readonly Wire[];
  readonly services: readonly Wire[];
  /** Messages of one request. */
  readonly batch: number;
  readonly port: number;
}

export class PushLoad {
  readonly heard = new Histogram();
  readonly #services: readonly Service[];
  readonly #rooms: readonly Room[];

  constructor(options: PushOptions) {
    const { listeners, services } = options;
    this.#rooms = listeners.map((wire) => new Room(wire, options, this.heard));
    this.#services = services.map((wire, index) => {
      const own = this.#rooms.filter((_, room) => room % services.length === index);
      return new Service(wire, own, options);
    });
  }

  start(): void {
    for (const service of this.#services) service.push();
  }

  stop(): void {
    for (const service of this.#services) service.stopped = true;
  }

  /** Requests that were answered while the clock ran. */
  get answered(): number {
    return this.#services.reduce((sum, { answered }) => sum + answered, 0);
  }

  get underWay(): number {
    return this.#services.filter(({ waits }) => waits).length;
  }

  get unheard(): number {
    return this.#rooms.reduce((sum, { unheard }) => sum + unheard, 0);
  }
}

/** Messages of a room that may be on their way; a power of two. */
const UNDER_WAY = 1_024;

class Room {
  readonly name: string;
  readonly #saidAt = new Float64Array(UNDER_WAY);
  readonly #sequence: Sequence;
  #said = 0;

  constructor(wire: Wire, { dialect, measure }: PushOptions, heard: Histogram) {
    this.name = wire.room;
    this.#sequence = new Sequence(measure.faults);
    const reader = wire.reader();
    const hear = (seq: number) => {
      this.#sequence.take(seq);
      if (!measure.running) return;
      measure.delivered++;
      heard.add(performance.now() - this.#saidAt[seq & (UNDER_WAY - 1)]!);
    };
    wire.listen((chunk) => reader.read(chunk, ({ text }) => dialect.heard(text).forEach(hear)));
  }

  /** The next message. */
  say(now: number): { readonly room: string; readonly seq: number } {
    this.#saidAt[++this.#said & (UNDER_WAY - 1)] = now;
    return { room: this.name, seq: this.#said };
  }

  get unheard(): number {
    return this.#said + 1 - this.#sequence.next;
  }
}

class Service {
  readonly #options: PushOptions;
  readonly #wire: Wire;
  readonly #rooms: readonly Room[];
  /** Signed once for each address, as clients do it that keep them. */
  readonly #tokens = new Map<string, string>();
  #next = 0;
  #askedAt = 0;
  answered = 0;
  waits = false;
  stopped = false;

  constructor(wire: Wire, rooms: readonly Room[], options: PushOptions) {
    [this.#wire, this.#rooms, this.#options] = [wire, rooms, options];
    const reader = wire.reader();
    wire.listen((chunk) => reader.read(chunk, ({ text }) => this.#answer(text)));
  }

  push(): void {
    const { dialect, batch, port } = this.#options;
    this.#askedAt = performance.now();
    this.waits = true;
    const pushes = Array.from({ length: batch }, () => this.#room().say(this.#askedAt));
    const { path, body } = dialect.push!(pushes);
    const host = `127.0.0.1:${port}`;
    this.#wire.write(postOf({ host, path }, body, this.#tokenFor(`http://${host}${path}`)));
  }

  /** One after another. */
  #room(): Room {
    return this.#rooms[this.#next++ % this.#rooms.length]!;
  }

  #tokenFor(url: string): string {
    const token = this.#tokens.get(url) ?? serviceToken(url);
    this.#tokens.set(url, token);
    return token;
  }

  #answer(text: string): void {
    const { measure } = this.#options;
    if (text.includes('"error"')) measure.faults.bad++;
    this.waits = false;
    if (measure.running) {
      measure.latencies.add(performance.now() - this.#askedAt);
      this.answered++;
    }
    if (!this.stopped) this.push();
  }
}
