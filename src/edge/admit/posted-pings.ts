// Pings that SignalR clients post beside their event stream. They tell the relay that the client lives: the stream of a
// half-open one takes writes for long. Each that the relay gets wakes it, so one isolate passes on not all.

/** The part of the hub's `silentSeconds` for which pings are kept back; clients post one each 15 s. */
const PART = 1 / 3;
/** Connections that are remembered; beyond it all are forgotten, which costs a few pings more. */
const REMEMBERED = 10_000;

/** A cache of one isolate: no promise needs it, since what it forgets is passed on. */
export class PostedPings {
  /** By connection token, milliseconds since 1970. */
  readonly #passedAt = new Map<string, number>();

  /** Whether the relay is to learn of a ping of this connection now. */
  isDue(token: string, now: number, silentSeconds: number): boolean {
    const pause = silentSeconds * 1000 * PART;
    return now - (this.#passedAt.get(token) ?? -Infinity) >= pause;
  }

  /** The relay has received a ping of this connection. Not called where it refused: the next is refused likewise. */
  passed(token: string, now: number): void {
    if (this.#passedAt.size >= REMEMBERED) this.#passedAt.clear();
    this.#passedAt.set(token, now);
  }
}
