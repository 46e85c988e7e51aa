// The follower's side of a follow link: which of this object's connections are in which rooms elsewhere. An object
// follows a room once, however many of its connections are in it, and tells it who they are.

import { HubError } from "../model/errors.ts";
import { formatTopic, parseTopic, type Topic } from "../model/topic.ts";
import type { Connection } from "./connection.ts";
import type { Delivery, DeliveryReply, MemberCount, Peer } from "./peers.ts";
import type { Entry } from "./receiver.ts";

export interface FollowsOptions {
  readonly sql: SqlStorage;
  /** This object's name, as rooms know their followers. */
  readonly self: string;
  readonly groupsPerConnection: number;
  peer(topic: Topic): Peer;
  /** Whether the room wants to know who its members are. */
  tellsWho(topic: Topic): boolean;
  /** What was said in a followed room, for these connections. */
  heard(room: string, epoch: string, entry: Entry, members: ReadonlySet<Connection>): void;
  /** The room's log no longer had what these connections missed. */
  missed(room: string, members: ReadonlySet<Connection>): void;
}

interface Followed {
  readonly topic: Topic;
  readonly members: Set<Connection>;
  /** Users whose count the room does not know yet. */
  readonly untold: Set<string>;
  /** Where we stand in the room's log; unknown after a wake, and the room knows then. */
  position: { epoch: string; offset: number } | undefined;
  following: boolean;
  syncing: Promise<void> | undefined;
}

export class Follows {
  readonly #options: FollowsOptions;
  readonly #rooms = new Map<string, Followed>();
  readonly #joined = new Map<Connection, Set<string>>();

  /** Memberships survive sleep; those of connections that are gone are given back. */
  constructor(options: FollowsOptions, connections: (id: string) => Connection | undefined) {
    this.#options = options;
    const { sql } = options;
    sql.exec("CREATE TABLE IF NOT EXISTS follows (room TEXT PRIMARY KEY) WITHOUT ROWID");
    sql.exec(
      "CREATE TABLE IF NOT EXISTS joins (room TEXT, connection TEXT, user TEXT, PRIMARY KEY (room, connection)) WITHOUT ROWID",
    );
    for (const { room } of sql.exec("SELECT room FROM follows"))
      this.#open(room as string).following = true;
    for (const row of sql.exec("SELECT room, connection, user FROM joins").toArray())
      this.#restore(row as Record<string, string>, connections);
  }

  #restore(row: Record<string, string>, connections: (id: string) => Connection | undefined): void {
    const followed = this.#open(row["room"]!);
    const connection = connections(row["connection"]!);
    if (connection) return this.#enter(connection, row["room"]!, followed);
    this.#options.sql.exec(
      "DELETE FROM joins WHERE room = ? AND connection = ?",
      row["room"],
      row["connection"],
    );
    followed.untold.add(row["user"]!);
  }

  #open(room: string): Followed {
    let followed = this.#rooms.get(room);
    if (!followed) {
      const topic = parseTopic(room);
      followed = {
        topic,
        members: new Set(),
        untold: new Set(),
        position: undefined,
        following: false,
        syncing: undefined,
      };
      this.#rooms.set(room, followed);
    }
    return followed;
  }

  /** Whether rooms elsewhere count on this object. */
  get any(): boolean {
    return this.#rooms.size > 0;
  }

  /** Whether some room does not know yet how things are here. */
  get stale(): boolean {
    return [...this.#rooms.values()].some(
      ({ members, untold, following }) => members.size === 0 || untold.size > 0 || !following,
    );
  }

  /** Puts the connection into the room, and is done when the room knows. Throws `too_many_groups`. */
  async join(connection: Connection, topic: Topic): Promise<void> {
    const room = formatTopic(topic);
    if (this.#rooms.get(room)?.members.has(connection)) return this.#rooms.get(room)!.syncing;
    if ((this.#joined.get(connection)?.size ?? 0) >= this.#options.groupsPerConnection)
      throw new HubError(
        "too_many_groups",
        `A connection is in ${this.#options.groupsPerConnection} rooms at most.`,
      );
    this.#options.sql.exec(
      "INSERT OR REPLACE INTO joins VALUES (?, ?, ?)",
      room,
      connection.id,
      connection.user.id,
    );
    const followed = this.#open(room);
    this.#enter(connection, room, followed);
    followed.untold.add(connection.user.id);
    try {
      await this.#sync(room, followed);
    } catch (error) {
      this.#remove(connection, room, followed);
      throw error;
    }
  }

  async leave(connection: Connection, topic: Topic): Promise<void> {
    const room = formatTopic(topic);
    const followed = this.#rooms.get(room);
    if (!followed?.members.has(connection)) return;
    this.#remove(connection, room, followed);
    await this.#sync(room, followed);
  }

  /** The connection is gone; what it was in is told in the background. */
  async leaveAll(connection: Connection): Promise<void> {
    const rooms = [...(this.#joined.get(connection) ?? [])].map(
      (room) => [room, this.#open(room)] as const,
    );
    for (const [room, followed] of rooms) this.#remove(connection, room, followed);
    await Promise.all(rooms.map(([room, followed]) => this.#sync(room, followed)));
  }

  #enter(connection: Connection, room: string, followed: Followed): void {
    const rooms = this.#joined.get(connection) ?? new Set();
    this.#joined.set(connection, rooms.add(room));
    followed.members.add(connection);
  }

  #remove(connection: Connection, room: string, followed: Followed): void {
    this.#options.sql.exec(
      "DELETE FROM joins WHERE room = ? AND connection = ?",
      room,
      connection.id,
    );
    followed.members.delete(connection);
    followed.untold.add(connection.user.id);
    const rooms = this.#joined.get(connection);
    if (rooms?.delete(room) && rooms.size === 0) this.#joined.delete(connection);
  }

  /** Tells every room what it does not know yet: after a wake, and by alarm where telling failed. */
  async settle(): Promise<void> {
    await Promise.allSettled(
      [...this.#rooms].map(([room, followed]) => this.#sync(room, followed)),
    );
  }

  /** One call to the room at a time; what changed meanwhile goes with the next, and there may be nothing left. */
  #sync(room: string, followed: Followed): Promise<void> {
    const before = followed.syncing?.catch(() => {}) ?? Promise.resolve();
    followed.syncing = before.then(() => this.#tell(room, followed));
    return followed.syncing;
  }

  async #tell(room: string, followed: Followed): Promise<void> {
    while (followed.members.size > 0 && (followed.untold.size > 0 || !followed.following)) {
      await this.#follow(room, followed, [...followed.untold]);
    }
    if (followed.members.size === 0) await this.#unfollow(room, followed);
  }

  async #follow(room: string, followed: Followed, users: readonly string[]): Promise<void> {
    if (!followed.following)
      this.#options.sql.exec("INSERT OR IGNORE INTO follows VALUES (?)", room);
    for (const user of users) followed.untold.delete(user);
    try {
      if (!followed.following || this.#options.tellsWho(followed.topic))
        await this.#options
          .peer(followed.topic)
          .follow(this.#options.self, this.#counts(followed, users));
      followed.following = true;
    } catch (error) {
      for (const user of users) followed.untold.add(user);
      throw error;
    }
  }

  #counts({ members, topic }: Followed, users: readonly string[]): MemberCount[] {
    if (!this.#options.tellsWho(topic)) return [];
    return users.map((user) => [user, [...members].filter((c) => c.user.id === user).length]);
  }

  async #unfollow(room: string, followed: Followed): Promise<void> {
    if (followed.following) await this.#options.peer(followed.topic).unfollow(this.#options.self);
    if (followed.members.size > 0) {
      followed.following = false;
      return this.#tell(room, followed);
    }
    this.#options.sql.exec("DELETE FROM follows WHERE room = ?", room);
    if (this.#rooms.get(room) === followed) this.#rooms.delete(room);
  }

  /** A batch from a followed room: what was heard before is dropped, what is missing is asked for again. */
  deliver({ room, epoch, after, entries, reset }: Delivery): DeliveryReply {
    const followed = this.#rooms.get(room);
    if (!followed || followed.members.size === 0) {
      if (followed) followed.following = false;
      return { kind: "gone" };
    }
    const at = followed.position?.epoch === epoch ? followed.position.offset : undefined;
    if (at !== undefined && after > at && !reset) return { kind: "behind", offset: at };
    if (reset) this.#options.missed(room, followed.members);
    for (const entry of entries)
      if (at === undefined || entry.offset > at)
        this.#options.heard(room, epoch, entry, followed.members);
    followed.position = { epoch, offset: Math.max(at ?? 0, entries.at(-1)?.offset ?? after) };
    return { kind: "taken" };
  }
}
