// Pings that SignalR clients POST while they read their event stream. They show the relay that the client is alive,
// because writes to a half-open stream succeed for long. Each ping wakes the relay, so an isolate passes on only some.

/** After a ping, further ones are kept back for this part of the hub's `silentSeconds`; clients post one each 15 s. */
const PART = 1 / 3;
/** The most connections that are remembered; beyond it all are forgotten, which costs a few more pings. */
const REMEMBERED = 10_000;

/** A cache of one isolate. Nothing depends on it: the next ping of a forgotten connection is passed on. */
export class PostedPings {
  /** By connection token: when its last ping was passed on, in milliseconds since 1970. */
  readonly #passedAt = new Map<string, number>();

  /** Whether a ping of this connection must be passed to the relay now. */
  isDue(token: string, now: number, silentSeconds: number): boolean {
    const pause = silentSeconds * 1000 * PART;
    return now - (this.#passedAt.get(token) ?? -Infinity) >= pause;
  }

  /** Called when the relay has accepted a ping. Not after a refusal, so that the next ping is refused as well. */
  passed(token: string, now: number): void {
    if (this.#passedAt.size >= REMEMBERED) this.#passedAt.clear();
    this.#passedAt.set(token, now);
  }
}
