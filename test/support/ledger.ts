// The oracle of every delivery test (docs/design/reliability.md#or1). Publishers stamp what they say with their name
// and a count; the ledger is told what was sent, acknowledged and heard, and keeps what is wrong with it. Pure: it
// knows no sockets.

export interface Heard {
  readonly room: string;
  readonly position: string;
  /** The whole message as it came: two subscribers must hear the same at one position. */
  readonly text: string;
  /** What a publisher stamped; absent in what rooms say themselves. */
  readonly stamp?: string;
}

export interface Resumed {
  readonly room: string;
  readonly position: string;
  readonly recovered: boolean;
}

interface Standing {
  epoch: string;
  offset: number;
  /** The count that is expected next of each publisher; unknown until one was heard. */
  readonly next: Map<string, number>;
}

export class Ledger {
  readonly violations: string[] = [];
  /** Deliveries that were checked. */
  checked = 0;
  readonly #sent = new Map<string, number>();
  readonly #acked = new Map<string, number>();
  /** What stands at each position of each room, by whoever heard it first. */
  readonly #said = new Map<string, string>();
  readonly #standings = new Map<string, Standing>();
  readonly #joining = new Set<string>();

  /** The next stamp of this publisher. */
  stamp(publisher: string): string {
    const n = this.#sent.get(publisher) ?? 0;
    this.#sent.set(publisher, n + 1);
    return `${publisher}/${n}`;
  }

  acked(stamp: string): void {
    const [publisher, n] = parseStamp(stamp);
    this.#acked.set(publisher, Math.max(n, this.#acked.get(publisher) ?? -1));
  }

  /** A subscriber came (back). Only where it was not recovered may anything be missing. */
  resumed(subscriber: string, { room, position, recovered }: Resumed): void {
    const { epoch, offset } = parsePosition(position);
    const at = this.#standings.get(keyOf(subscriber, room));
    if (!recovered || !at)
      this.#standings.set(keyOf(subscriber, room), { epoch, offset, next: new Map() });
    else if (at.epoch !== epoch)
      this.#wrong("fork", `${subscriber} recovered in ${epoch}, was in ${at.epoch}`);
    else if (at.offset > offset)
      this.#wrong("fork", `${subscriber} was at ${at.offset}, the room is at ${offset}`);
  }

  /** A subscriber joined a room without being told where that stands: what it hears first says so. */
  joined(subscriber: string, room: string): void {
    this.#standings.delete(keyOf(subscriber, room));
    this.#joining.add(keyOf(subscriber, room));
  }

  /** Where a subscriber stands, as it would say when it resumes. */
  position(subscriber: string, room: string): string | undefined {
    const at = this.#standings.get(keyOf(subscriber, room));
    return at && `${at.epoch}:${at.offset}`;
  }

  heard(subscriber: string, { room, position, text, stamp }: Heard): void {
    this.checked += 1;
    const who = `${subscriber} in ${room}`;
    const at =
      this.#standings.get(keyOf(subscriber, room)) ?? this.#begin(subscriber, room, position);
    if (!at) return this.#wrong("order", `${who} heard ${position} before it was told where it is`);
    this.#moveTo(who, at, position);
    const said = this.#said.get(keyOf(room, position));
    if (said === undefined) this.#said.set(keyOf(room, position), text);
    else if (said !== text) this.#wrong("fork", `${who} at ${position}: ${text} and ${said}`);
    if (stamp !== undefined) this.#count(who, at, stamp);
  }

  #begin(subscriber: string, room: string, position: string): Standing | undefined {
    const key = keyOf(subscriber, room);
    if (!this.#joining.delete(key)) return undefined;
    const { epoch, offset } = parsePosition(position);
    const at = { epoch, offset: offset - 1, next: new Map<string, number>() };
    this.#standings.set(key, at);
    return at;
  }

  #moveTo(who: string, at: Standing, position: string): void {
    const { epoch, offset } = parsePosition(position);
    if (epoch !== at.epoch) this.#wrong("fork", `${who}: epoch ${epoch} after ${at.epoch}`);
    else if (offset <= at.offset) this.#wrong("dup", `${who}: offset ${offset} after ${at.offset}`);
    else if (offset > at.offset + 1)
      this.#wrong("order", `${who}: offset ${offset} after ${at.offset}`);
    at.epoch = epoch;
    at.offset = offset;
  }

  #count(who: string, at: Standing, stamp: string): void {
    const [publisher, n] = parseStamp(stamp);
    const next = at.next.get(publisher) ?? n;
    if (n >= (this.#sent.get(publisher) ?? 0)) this.#wrong("phantom", `${who}: ${stamp}`);
    if (n > next) this.#wrong("gap", `${who}: ${stamp}, expected ${next}`);
    if (n < next) this.#wrong("dup", `${who}: ${stamp}, expected ${next}`);
    at.next.set(publisher, Math.max(next, n + 1));
  }

  /** The barrier: whether this subscriber has heard all that was sent. */
  isComplete(subscriber: string, room: string): boolean {
    const at = this.#standings.get(keyOf(subscriber, room));
    return [...this.#sent].every(([publisher, sent]) => at?.next.get(publisher) === sent);
  }

  /** What the room says it keeps must be what was heard, and hold the newest that was acknowledged. */
  history(entries: readonly Heard[]): void {
    for (const { room, position, text } of entries) {
      const said = this.#said.get(keyOf(room, position));
      if (said !== undefined && said !== text)
        this.#wrong("fork", `history at ${position}: ${text} and ${said}`);
    }
    const kept = new Set(entries.map(({ stamp }) => stamp));
    for (const [publisher, n] of this.#acked)
      if (!kept.has(`${publisher}/${n}`))
        this.#wrong("acked-lost", `${publisher}/${n} was acknowledged and is not in the history`);
  }

  /** What was sent and what was acknowledged. */
  get totals(): { sent: number; acked: number } {
    const sum = (counts: Iterable<number>) => [...counts].reduce((a, b) => a + b, 0);
    return {
      sent: sum(this.#sent.values()),
      acked: sum([...this.#acked.values()].map((n) => n + 1)),
    };
  }

  #wrong(kind: Violation, what: string): void {
    this.violations.push(`${kind}: ${what}`);
  }
}

type Violation = "gap" | "dup" | "order" | "fork" | "phantom" | "acked-lost";

const keyOf = (a: string, b: string): string => JSON.stringify([a, b]);

function parseStamp(stamp: string): [publisher: string, n: number] {
  const [publisher = "", n = ""] = stamp.split("/");
  return [publisher, Number.parseInt(n, 10)];
}

function parsePosition(position: string): { epoch: string; offset: number } {
  const [epoch = "", offset = ""] = position.split(":");
  return { epoch, offset: Number(offset) };
}
