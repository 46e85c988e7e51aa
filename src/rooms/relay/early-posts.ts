// What clients post before their transport begins. In ASP.NET Core a connection exists from its negotiation on, and its
// transport is decided by the first GET: what came before waits in the connection's buffer. Here it waits in memory, for
// as long as the seat is promised; a relay that is reset forgets it, and the client's handshake times out.

/** Bytes of one connection: ASP.NET Core's `TransportMaxBufferSize`. */
const BYTES_EACH = 65_536;
/** Bytes of all connections of a relay. */
const BYTES_ALL = 8 * 1024 * 1024;

interface Waiting {
  readonly bodies: ArrayBuffer[];
  bytes: number;
  /** Milliseconds since 1970. */
  readonly until: number;
}

export interface Posted {
  readonly id: string;
  readonly body: ArrayBuffer;
  /** When the seat lapses, milliseconds since 1970. */
  readonly until: number;
}

export class EarlyPosts {
  /** By connection id. */
  readonly #waiting = new Map<string, Waiting>();
  #bytes = 0;

  /** False where the body does not fit beside what waits already: it is not kept then. */
  keep({ id, body, until }: Posted, now: number): boolean {
    for (const [other, waiting] of this.#waiting) if (waiting.until <= now) this.take(other);
    const waiting = this.#waiting.get(id) ?? { bodies: [], bytes: 0, until };
    const { byteLength } = body;
    if (waiting.bytes + byteLength > BYTES_EACH || this.#bytes + byteLength > BYTES_ALL)
      return false;
    waiting.bodies.push(body);
    waiting.bytes += byteLength;
    this.#bytes += byteLength;
    this.#waiting.set(id, waiting);
    return true;
  }

  /** In the order in which they were posted; none of them waits any longer. */
  take(id: string): readonly ArrayBuffer[] {
    const waiting = this.#waiting.get(id);
    if (!waiting) return [];
    this.#waiting.delete(id);
    this.#bytes -= waiting.bytes;
    return waiting.bodies;
  }
}
