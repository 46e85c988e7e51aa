// Publications of connections' calls in rooms elsewhere that are not delivered here yet. A message goes by way of its
// room and meets the members that are here when it comes back, while joins and leaves take effect at once: so these
// wait for the publications of the same connection in the same room, and so does what is sent directly to such a
// member.

import { formatTopic, type Position } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";

/** A room that this object follows. */
interface Followed {
  readonly members: ReadonlySet<Connection>;
  whenReached(position: Position): Promise<void>;
}

/** Messages of a call to a connection of this object itself, not by way of a room. */
export interface DirectSend {
  readonly caller: Connection;
  readonly recipient: Connection;
  /** Promises that it waits for as well. None of them rejects. */
  readonly after?: readonly Promise<unknown>[];
}

type Newest = WeakMap<Connection, Map<string, Promise<void>>>;

export class UndeliveredPublications {
  readonly #followed: (room: string) => Followed | undefined;
  /** By room. */
  readonly #newest: Newest = new WeakMap();
  /** By the id of a recipient: what waits for these. Apart, for a call may send to thousands. */
  readonly #direct: Newest = new WeakMap();

  /** `followed` finds a room that this object follows. */
  constructor(followed: (room: string) => Followed | undefined) {
    this.#followed = followed;
  }

  /**
   * Gives the position of the publication: at once where the connection is no member of the room, else when its own
   * copy is on the way or late. Rejects as the publication does.
   */
  async add<P extends Position>(
    connection: Connection,
    room: string,
    published: Promise<P>,
  ): Promise<P> {
    const isMember = this.#isMember(connection, room);
    const delivered = published.then((position) => this.#delivered(room, position));
    this.#remember(this.#newest, connection, [room, delivered]);
    if (isMember) await delivered;
    return published;
  }

  /** Done when a member's messages up to the position are on their way, or the room is slow. At once for others. */
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
   * Runs `send` behind what the caller's calls have sent to the recipient so far by way of rooms, and behind other such
   * sends: at once where nothing of it is under way, else later, and then the promise says when.
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

  /** Done when everything that the connection's calls have published there is delivered here, or has failed. */
  async settled(connection: Connection, room: string): Promise<void> {
    await this.#newest.get(connection)?.get(room);
  }
}

/** The first publication there is what puts the user's connections into it (room/user-room.ts). */
const isOwnRoom = ({ user }: Connection, room: string): boolean =>
  room === formatTopic({ kind: "user", name: user.id });

/** How long a delivery is waited for. */
export const MOST_MS = 2_000;

interface Waiter {
  readonly position: Position;
  readonly until: number;
  resolve(): void;
}

/** Waits until the deliveries of one room have come to a position. A slow room keeps nobody waiting for long. */
export class DeliveredPositions {
  readonly #waiters = new Set<Waiter>();
  #timer: AbortController | undefined;

  /** Done when `reach` was called for this position or a later one, or the room was too slow. */
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

  /** One timer, for the oldest waiter: it ends with the last of them. */
  async #expire({ signal }: AbortController): Promise<void> {
    for (const { until } of this.#waiters) {
      // oxlint-disable-next-line no-await-in-loop -- one wait after another
      await scheduler.wait(Math.max(0, until - Date.now()), { signal }).catch(() => {});
      if (signal.aborted) return;
      this.#release((waiter) => waiter.until <= until);
    }
  }
}

/** Another epoch is another log: a position in the one that was lost is never reached. */
export const isReached = (position: Position, at: Position): boolean =>
  at.epoch !== position.epoch || at.offset >= position.offset;
