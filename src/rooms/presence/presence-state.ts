// Presence of a room as pure state: counts of connections by user and source (this object's sockets, each follower),
// and the resulting joins and leaves. It does not depend on sockets, storage or clocks.
//
//   · A user joins once and leaves once, however many connections and sources there are.
//   · A join is pending from the first connection until `takeChange`; a user who leaves before is never announced.
//   · A leave is due a grace after the last connection ended; a connection within it cancels the leave.
//   · Counts are absolute by source, so a repeated report changes nothing.

import type { PresenceQuery, PresenceView, Present, UserChanges } from "../rpc/presence-view.ts";
import { SortedIds } from "./sorted-ids.ts";

/** A user with an announced join, and no announced leave yet. */
export interface AnnouncedUser {
  readonly userId: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** The state that the user shows; null if there is none. */
  readonly state: unknown;
}

/** Joins and leaves to announce together. */
export interface PresenceChange extends Omit<UserChanges, "joined"> {
  readonly joined: readonly AnnouncedUser[];
}

/** Merges two changes: drops joins and leaves of the earlier one that the later one reverses. */
export function mergeChanges(earlier: PresenceChange, later: PresenceChange): PresenceChange {
  const left = new Set(later.left);
  const joined = new Set(later.joined.map(({ userId }) => userId));
  return {
    joined: [...earlier.joined.filter(({ userId }) => !left.has(userId)), ...later.joined],
    left: [...earlier.left.filter((id) => !joined.has(id)), ...later.left],
  };
}

/** This object's own sockets, among the sources. */
export const OWN_SOCKETS = "";

/** A source's number of connections of a user; `trace` is that of the connection that has begun or ended. */
export type ConnectionCount = readonly [
  source: string,
  userId: string,
  count: number,
  trace?: string | undefined,
];

export class PresenceState {
  readonly #graceMs: number;
  readonly #announcedUsers: Map<string, AnnouncedUser>;
  /** Connections of each user, by source. */
  readonly #connections = new Map<string, Map<string, number>>();
  /** Users of each source, so that the end of a source does not search all users. */
  readonly #users = new Map<string, Set<string>>();
  /**
   * Users without a connection, and when their leave is due; in the order of that time, because the grace is always the
   * same.
   */
  readonly #pendingLeaves = new Map<string, number>();
  /** Announced users whose last connection left on purpose: their leave has no grace. */
  readonly #immediateLeaves = new Set<string>();
  /** Users who are not announced yet, and when their first connection began. */
  readonly #pendingJoins = new Map<string, number>();
  /** Traces of pending joins and leaves, by user: of the connection that caused each. */
  readonly #traces = new Map<string, string>();
  /** Ids of announced users and pending joins, without immediate leaves. */
  readonly #ids = new SortedIds(() =>
    [...this.#announcedUsers.keys(), ...this.#pendingJoins.keys()].filter(
      (id) => !this.#immediateLeaves.has(id),
    ),
  );
  #totalConnections = 0;

  /** After a loss of memory all announced users leave when the grace is over, unless a connection is counted before. */
  constructor(users: readonly AnnouncedUser[], graceMs: number, now: number) {
    this.#graceMs = graceMs;
    this.#announcedUsers = new Map(users.map((user) => [user.userId, user]));
    for (const { userId } of users) this.#pendingLeaves.set(userId, now + graceMs);
  }

  /** Sets a source's count of a user: absolute, so that a repetition changes nothing. */
  set(counted: ConnectionCount, now: number): void {
    const [source, userId, count] = counted;
    const sources = this.#connections.get(userId) ?? new Map<string, number>();
    this.#totalConnections += count - (sources.get(source) ?? 0);
    if (count > 0) sources.set(source, count);
    else sources.delete(source);
    this.#note(source, userId, count > 0);
    if (sources.size > 0) {
      this.#connections.set(userId, sources);
      this.#addUser(counted, now);
    } else {
      this.#connections.delete(userId);
      this.#removeUser(counted, now);
    }
  }

  #note(source: string, userId: string, isThere: boolean): void {
    const users = this.#users.get(source) ?? new Set();
    if (isThere) this.#users.set(source, users.add(userId));
    else if (users.delete(userId) && users.size === 0) this.#users.delete(source);
  }

  /**
   * Ends the grace of a user without connections, after a leave on purpose: pages no longer list the user, also before
   * the leave is announced. Does nothing for users with connections.
   */
  skipGrace(userId: string): void {
    if (!this.#pendingLeaves.delete(userId)) return;
    this.#immediateLeaves.add(userId);
    this.#ids.delete(userId);
  }

  count(source: string, userId: string): number {
    return this.#connections.get(userId)?.get(source) ?? 0;
  }

  /** Sources that have connections. */
  get sources(): ReadonlySet<string> {
    return new Set(this.#users.keys());
  }

  #addUser([, userId, , trace]: ConnectionCount, now: number): void {
    this.#pendingLeaves.delete(userId);
    if (this.#immediateLeaves.delete(userId)) this.#ids.add(userId);
    if (this.#announcedUsers.has(userId)) return void this.#traces.delete(userId);
    if (this.#pendingJoins.has(userId)) return;
    this.#pendingJoins.set(userId, now);
    if (trace !== undefined) this.#traces.set(userId, trace);
    this.#ids.add(userId);
  }

  /** Begins the grace; a user who was never announced is only forgotten. */
  #removeUser([, userId, , trace]: ConnectionCount, now: number): void {
    if (this.#pendingJoins.delete(userId)) {
      this.#ids.delete(userId);
      this.#traces.delete(userId);
    }
    if (!this.#announcedUsers.has(userId) || this.#immediateLeaves.has(userId)) return;
    if (this.#pendingLeaves.has(userId)) return;
    this.#pendingLeaves.set(userId, now + this.#graceMs);
    if (trace !== undefined) this.#traces.set(userId, trace);
  }

  /** Called when a source has ended, with all its connections. */
  forget(source: string, now: number): void {
    for (const userId of this.#users.get(source) ?? []) this.set([source, userId, 0], now);
  }

  /** Whether a join, or a leave without grace, must be announced. */
  get hasImmediateChanges(): boolean {
    return this.#pendingJoins.size + this.#immediateLeaves.size > 0;
  }

  /** When the next leave is due, milliseconds since 1970; undefined if none is pending. */
  get due(): number | undefined {
    return this.#pendingLeaves.values().next().value;
  }

  /** Takes the joins and leaves to announce now; they count as announced from now on. */
  takeChange(now: number): PresenceChange {
    const joined = [...this.#pendingJoins].map(([userId, since]) => ({
      userId,
      since,
      state: null,
    }));
    for (const user of joined) this.#announcedUsers.set(user.userId, user);
    this.#pendingJoins.clear();
    const left = this.#takeLeaves(now);
    return { joined, left, ...this.#takeTraces([...joined.map(({ userId }) => userId), ...left]) };
  }

  #takeTraces(userIds: readonly string[]): Pick<PresenceChange, "traces"> {
    if (this.#traces.size === 0) return {};
    const traces = new Map<string, string>();
    for (const userId of userIds) {
      const trace = this.#traces.get(userId);
      if (trace !== undefined) traces.set(userId, trace);
      this.#traces.delete(userId);
    }
    return traces.size > 0 ? { traces } : {};
  }

  #takeLeaves(now: number): string[] {
    const left = [...this.#immediateLeaves];
    this.#immediateLeaves.clear();
    for (const [userId, at] of this.#pendingLeaves) {
      if (at > now) break;
      left.push(userId);
      this.#pendingLeaves.delete(userId);
      this.#ids.delete(userId);
    }
    for (const userId of left) this.#announcedUsers.delete(userId);
    return left;
  }

  /** Whether the user's join was announced, and the leave was not. */
  isPresent(userId: string): boolean {
    return this.#announcedUsers.has(userId);
  }

  /** Sets the state that a present user shows. Callers check `isPresent` first. */
  track(userId: string, state: unknown): AnnouncedUser {
    const user = this.#announcedUsers.get(userId);
    if (!user) throw new Error(`${userId} is not here.`);
    const updated = { ...user, state };
    this.#announcedUsers.set(userId, updated);
    return updated;
  }

  /** The number of users, with pending joins and users within their grace. */
  get users(): number {
    return this.#announcedUsers.size + this.#pendingJoins.size - this.#immediateLeaves.size;
  }

  get connections(): number {
    return this.#totalConnections;
  }

  /** At most `page` members, ordered by user id; only counts if `page` is 0. */
  view({ after, limit = Infinity }: PresenceQuery, page: number): PresenceView {
    const count = Math.max(0, Math.min(limit, page));
    const { users, connections } = this;
    if (page <= 0) return { users, connections, members: [], more: users > 0 };
    const { ids, more } = this.#ids.page(after, count);
    return { users, connections, members: ids.map((id) => this.#member(id)), more };
  }

  #member(userId: string): Present {
    const { since, state } = this.#announcedUsers.get(userId) ?? {
      since: this.#pendingJoins.get(userId) ?? 0,
      state: null,
    };
    let connections = 0;
    for (const count of this.#connections.get(userId)?.values() ?? []) connections += count;
    return { userId, since, connections, state };
  }
}
