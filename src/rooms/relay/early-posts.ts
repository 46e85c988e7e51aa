// Posts of clients before their transport begins. In ASP.NET Core a connection exists from its negotiation on, and the
// first GET decides its transport: earlier posts wait in the connection's buffer. Here they wait in memory until the
// seat lapses. A relay that is reset loses them, and the client's handshake times out. Lapsed posts are removed by the
// next alarm, or when another client posts.

import type { HeldBytes } from "../connection/held-bytes.ts";
import type { Duty } from "../platform/alarm-agenda.ts";

/** Bytes of one connection's bodies: ASP.NET Core's `TransportMaxBufferSize`. */
const BYTES_EACH = 65_536;
/** Memory of a body in addition to its bytes, so that many small ones count as well. */
const BODY_BYTES = 256;
/** Memory of one user's connections, so that a few users cannot use all of `BYTES_ALL`. */
const BYTES_USER = 1024 * 1024;
/** Memory of all connections of a relay. */
const BYTES_ALL = 8 * 1024 * 1024;

interface Waiting {
  readonly account: string;
  readonly bodies: ArrayBuffer[];
  /** Of the bodies. */
  bytes: number;
  /** Milliseconds since 1970. */
  readonly until: number;
}

const memoryOf = ({ bytes, bodies }: Waiting): number => bytes + bodies.length * BODY_BYTES;

interface EarlyPost {
  readonly id: string;
  /** The account of the connection's user. */
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

  /** Keeps the body; false if there is no space for it with those that wait. */
  keep({ id, account, body, until }: EarlyPost, now: number): boolean {
    this.run(now);
    const waiting = this.#waiting.get(id) ?? { account, bodies: [], bytes: 0, until };
    const bytes = waiting.bytes + body.byteLength;
    const held = body.byteLength + BODY_BYTES;
    if (bytes > BYTES_EACH || !this.#fits(account, held)) return false;
    waiting.bodies.push(body);
    waiting.bytes = bytes;
    this.#hold(held);
    this.#waiting.set(id, waiting);
    return true;
  }

  #fits(account: string, bytes: number): boolean {
    let ofUser = bytes;
    for (const waiting of this.#waiting.values())
      if (waiting.account === account) ofUser += memoryOf(waiting);
    return ofUser <= BYTES_USER && this.#bytes + bytes <= BYTES_ALL && this.#held.fits(bytes);
  }

  /** Removes the bodies of a connection, and returns them in the order of their posts. */
  take(id: string): readonly ArrayBuffer[] {
    const waiting = this.#waiting.get(id);
    if (!waiting) return [];
    this.#waiting.delete(id);
    this.#hold(-memoryOf(waiting));
    return waiting.bodies;
  }

  #hold(bytes: number): void {
    this.#bytes += bytes;
    this.#held.add(bytes);
  }

  /** No alarm of its own: an object with connections has one for its sweeps, and one without them sleeps. */
  due(): undefined {}

  run(now: number): void {
    for (const [id, { until }] of this.#waiting) if (until <= now) this.take(id);
  }
}
