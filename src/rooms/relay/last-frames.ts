// The last frames of polling connections that have ended. They wait in memory for one more poll; the poll after it is
// answered with 204.
//
//   · They count as held by their user and by the object (connection/held-bytes.ts) until a poll takes them, or for
//     15 s, so that clients which end connections and never poll again hold no more than others.
//   · If they do not fit, only the closing frame is kept. Beyond `BYTES_ALL` the oldest are reduced to theirs.

import type { Encoded } from "../../model/message.ts";
import type { Connection } from "../connection/connection.ts";
import type { ConnectionBytes, HeldBytes } from "../connection/held-bytes.ts";
import type { AlarmAgenda, Duty } from "../platform/alarm-agenda.ts";

const WAIT_MS = 15_000;
/** Bytes of all connections of a relay. */
const BYTES_ALL = 8 * 1024 * 1024;

interface Waiting {
  readonly frames: readonly Encoded[];
  /** Milliseconds since 1970. */
  readonly until: number;
  /** Bytes that are counted: 0 for a closing frame alone. */
  readonly bytes: number;
  readonly held: ConnectionBytes;
}

export class LastFrames implements Duty {
  readonly #held: Pick<HeldBytes, "of">;
  readonly #agenda: Pick<AlarmAgenda, "arm">;
  /** By connection id, in the order in which they lapse. */
  readonly #waiting = new Map<string, Waiting>();
  #bytes = 0;

  /** `held`: the relay's budget of memory. */
  constructor(held: Pick<HeldBytes, "of">, agenda: Pick<AlarmAgenda, "arm">) {
    this.#held = held;
    this.#agenda = agenda;
  }

  /** Keeps the unconfirmed frames of a connection that has ended, unless an open poll has them. */
  keep({ id, attached, resumable, socket, user }: Connection, now: number): void {
    if (attached.transport !== "LongPolling") return;
    const frames = socket ? [] : (resumable?.unconfirmed ?? []);
    const bytes = frames.reduce((sum, { length }) => sum + length, 0);
    const held = this.#held.of(user);
    const fits = bytes <= BYTES_ALL && held.take(bytes);
    if (fits) this.#makeRoom(bytes);
    held.end(); // Taken frames count until they are released.
    const all = { frames, until: now + WAIT_MS, bytes, held };
    this.#waiting.set(id, fits ? all : closingFrameOf(all));
    if (fits) this.#bytes += bytes;
    this.#agenda.arm(all.until);
  }

  #makeRoom(bytes: number): void {
    for (const [id, one] of this.#waiting) {
      if (this.#bytes + bytes <= BYTES_ALL) return;
      this.#release(one);
      this.#waiting.set(id, closingFrameOf(one));
    }
  }

  #release({ bytes, held }: Waiting): void {
    this.#bytes -= bytes;
    held.release(bytes);
  }

  /** Whether a connection with this id has ended within the last 15 s. */
  has(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** Answers a poll of an ended connection: its last frames, then 204. */
  answer(id: string, now: number): Response {
    const last = this.#take(id);
    if (!last?.frames.length) return new Response(null, { status: 204 });
    this.#waiting.set(id, { ...last, frames: [], bytes: 0, until: now + WAIT_MS });
    return new Response(new Blob(last.frames.map((frame) => frame as string)), { status: 200 });
  }

  #take(id: string): Waiting | undefined {
    const one = this.#waiting.get(id);
    if (one) this.#release(one);
    this.#waiting.delete(id);
    return one;
  }

  due(): number | undefined {
    return this.#waiting.values().next().value?.until;
  }

  run(now: number): void {
    for (const [id, { until }] of this.#waiting) if (until <= now) this.#take(id);
  }
}

const closingFrameOf = (one: Waiting): Waiting => ({
  ...one,
  ...{ frames: one.frames.slice(-1), bytes: 0 },
});
