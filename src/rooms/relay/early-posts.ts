// Posts of clients before their transport begins. In ASP.NET Core a connection exists from its negotiation on, and its
// transport is decided by the first GET: what came before waits in the connection's buffer. Here it waits in memory,
// for as long as the seat is promised; a relay that is reset forgets it, and the client's handshake times out. What has
// lapsed goes with the next alarm, or earlier where another client posts.

import type { HeldBytes } from "../connection/held-bytes.ts";
import type { Duty } from "../platform/alarm-agenda.ts";

/** Bytes of one connection: ASP.NET Core's `TransportMaxBufferSize`. */
const BYTES_EACH = 65_536;
/** Bytes of one user's connections: a few users must not take all that there is. */
const BYTES_USER = 1024 * 1024;
/** Bytes of all connections of a relay. */
const BYTES_ALL = 8 * 1024 * 1024;

interface Waiting {
  readonly account: string;
  readonly bodies: ArrayBuffer[];
  bytes: number;
  /** Milliseconds since 1970. */
  readonly until: number;
}

export interface EarlyPost {
  readonly id: string;
  /** Whose connection it is. */
  readonly account: string;
  readonly body: ArrayBuffer;
  /** When the seat lapses, milliseconds since 1970. */
  readonly until: number;
}

export class EarlyPosts implements Duty {
  /** By connection id. */
  readonly #waiting = new Map<string, Waiting>();
  #bytes = 0;
  readonly #held: Pick<HeldBytes, "fits" | "add">;

  /** `held`: the relay's budget of memory. */
  constructor(held: Pick<HeldBytes, "fits" | "add">) {
    this.#held = held;
  }

  /** False where the body does not fit beside what waits already: it is not kept then. */
  keep({ id, account, body, until }: EarlyPost, now: number): boolean {
    this.run(now);
    const waiting = this.#waiting.get(id) ?? { account, bodies: [], bytes: 0, until };
    const { byteLength } = body;
    if (waiting.bytes + byteLength > BYTES_EACH || !this.#fits(account, byteLength)) return false;
    waiting.bodies.push(body);
    waiting.bytes += byteLength;
    this.#bytes += byteLength;
    this.#held.add(byteLength);
    this.#waiting.set(id, waiting);
    return true;
  }

  #fits(account: string, bytes: number): boolean {
    let ofUser = bytes;
    for (const waiting of this.#waiting.values())
      if (waiting.account === account) ofUser += waiting.bytes;
    return ofUser <= BYTES_USER && this.#bytes + bytes <= BYTES_ALL && this.#held.fits(bytes);
  }

  /** In the order in which they were posted; none of them waits any longer. */
  take(id: string): readonly ArrayBuffer[] {
    const waiting = this.#waiting.get(id);
    if (!waiting) return [];
    this.#waiting.delete(id);
    this.#bytes -= waiting.bytes;
    this.#held.add(-waiting.bytes);
    return waiting.bodies;
  }

  /** No alarm is worth it: an object with connections has one for its sweeps, and one without them sleeps. */
  due(): undefined {}

  run(now: number): void {
    for (const [id, { until }] of this.#waiting) if (until <= now) this.take(id);
  }
}
