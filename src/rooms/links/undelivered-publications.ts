// Publications of connections' calls in rooms elsewhere that were not delivered here yet. A message goes to its room
// and back, and reaches the members at that time, while joins and leaves take effect at once. So these wait for earlier
// publications of the same connection in the same room, and so do messages that are sent directly to such a member.

import { formatTopic, type Position } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";

/** A room that this object follows. */
interface Followed {
  readonly members: ReadonlySet<Connection>;
  whenReached(position: Position): Promise<void>;
}

/** A direct message of a call to a connection of this object, not through a room. */
export interface DirectSend {
  readonly caller: Connection;
  readonly recipient: Connection;
  /** Further promises to wait for. None of them rejects. */
  readonly after?: readonly Promise<unknown>[];
}

type Newest = WeakMap<Connection, Map<string, Promise<void>>>;

export class UndeliveredPublications {
  readonly #followed: (room: string) => Followed | undefined;
  /** The newest publication of each caller, by room. */
  readonly #newest: Newest = new WeakMap();
  /** The newest waiting direct message of each caller, by recipient. Separate, because a call may have thousands. */
  readonly #direct: Newest = new WeakMap();

  /** `followed` finds a room that this object follows. */
  constructor(followed: (room: string) => Followed | undefined) {
    this.#followed = followed;
  }

  /**
   * Resolves with the position of the publication: at once if the connection is no member of the room, else when its
   * own copy is queued or late. Rejects like the publication.
   */
  async add(connection: Connection, room: string, published: Promise<Position>): Promise<Position> {
    const isMember = this.#isMember(connection, room);
    const delivered = published.then((position) => this.#delivered(room, position));
    this.#remember(this.#newest, connection, [room, delivered]);
    if (isMember) await delivered;
    return published;
  }

  /** Resolves when a member's messages up to the position are queued, or the room is slow; for others at once. */
  async delivered(connection: Connection, room: string, position: Position): Promise<void> {
    if (this.#followed(room)?.members.has(connection)) await this.#delivered(room, position);
  }

  #isMember(connection: Connection, room: string): boolean {
    return this.#followed(room)?.members.has(connection) || isOwnRoom(connection, room);
  }

  async #delivered(room: string, position: Position): Promise<void> {
    const followed = this.#followed(room);
    if (followed && followed.members.size > 0) await followed.whenReached(position);
  }

  /** Publications to one room arrive in their order, so the newest stands for all. */
  #remember(
    newest: Newest,
    connection: Connection,
    [room, delivered]: [string, Promise<void>],
  ): void {
    const rooms = newest.get(connection) ?? new Map<string, Promise<void>>();
    newest.set(connection, rooms);
    const forget = () => {
      if (rooms.get(room) === settled) rooms.delete(room);
    };
    const settled: Promise<void> = delivered.then(forget, forget);
    rooms.set(room, settled);
  }

  /**
   * Calls `send` after the recipient has all earlier publications of the caller's calls, and direct messages that wait
   * for them: at once if none is under way, else later, when the promise resolves.
   */
  inOrder(
    { caller, recipient, after = [] }: DirectSend,
    send: () => void,
  ): Promise<void> | undefined {
    const earlier: Promise<unknown>[] = [...after];
    const direct = this.#direct.get(caller)?.get(recipient.id);
    if (direct) earlier.push(direct);
    for (const [room, settled] of this.#newest.get(caller) ?? [])
      if (this.#isMember(recipient, room)) earlier.push(settled);
    if (earlier.length === 0) return void send();
    recipient.deferred++;
    const sent = Promise.all(earlier).then(() => {
      recipient.deferred--;
      return send();
    });
    this.#remember(this.#direct, caller, [recipient.id, sent]);
    return sent;
  }

  /** Resolves when all publications of the connection's calls in the room are delivered here, or have failed. */
  async settled(connection: Connection, room: string): Promise<void> {
    await this.#newest.get(connection)?.get(room);
  }
}

/** A user's own room counts as joined, because the first publication puts the user's connections into it. */
const isOwnRoom = ({ user }: Connection, room: string): boolean =>
  room === formatTopic({ kind: "user", name: user.id });

/** The longest wait for a delivery, in milliseconds. */
export const MOST_MS = 2_000;

interface Waiter {
  readonly position: Position;
  readonly until: number;
  resolve(): void;
}

/** Waits for the deliveries of one room up to a position, `MOST_MS` at most. */
export class DeliveredPositions {
  readonly #waiters = new Set<Waiter>();
  #timer: AbortController | undefined;

  /** Resolves when `reach` was called for this position or a later one, or the room was too slow. */
  wait(position: Position): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.add({ position, until: Date.now() + MOST_MS, resolve });
      if (!this.#timer) void this.#expire((this.#timer = new AbortController()));
    });
  }

  reach(position: Position): void {
    if (this.#waiters.size > 0) this.#release((waiter) => isReached(waiter.position, position));
  }

  #release(isOver: (waiter: Waiter) => boolean): void {
    for (const waiter of this.#waiters) {
      if (!isOver(waiter)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
    if (this.#waiters.size > 0) return;
    this.#timer?.abort();
    this.#timer = undefined;
  }

  /** Runs one timer at a time, for the oldest waiter, until there is none. */
  async #expire({ signal }: AbortController): Promise<void> {
    for (const { until } of this.#waiters) {
      // oxlint-disable-next-line no-await-in-loop -- one wait after another
      await scheduler.wait(Math.max(0, until - Date.now()), { signal }).catch(() => {});
      if (signal.aborted) return;
      this.#release((waiter) => waiter.until <= until);
    }
  }
}

/** True also for another epoch, because a position of a lost log is never reached. */
export const isReached = (position: Position, at: Position): boolean =>
  at.epoch !== position.epoch || at.offset >= position.offset;
