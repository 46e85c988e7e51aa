// The follower's side of a follow link: rooms elsewhere that connections of this object are in. An object follows a
// room once, however many of its connections are in it, and tells it who they are.

import { HubError } from "../model/errors.ts";
import type { Position } from "../model/position.ts";
import { formatTopic, parseTopic, type Topic } from "../model/topic.ts";
import { fetchMissed, type CatchUp, type Tell } from "./catching-up.ts";
import type { Connection } from "./connection.ts";
import { countsOf, followedOf, type Followed } from "./followed.ts";
import { Memberships, type Lost } from "./memberships.ts";
import type { Hearing } from "./outbox.ts";
import type { Delivery, DeliveryReply, Peer } from "./peers.ts";
import type { Entry } from "./receiver.ts";
import { Stands } from "./stands.ts";

export interface FollowsOptions {
  readonly sql: SqlStorage;
  /** This object's name, as rooms know their followers. */
  readonly self: string;
  /** All connections of this object: they are the members of the hub's `all` room, without a row for each. */
  readonly everybody: ReadonlySet<Connection>;
  find(connection: string): Connection | undefined;
  peer(topic: Topic): Peer;
  /** Whether a client that comes back wants to know how far it came. */
  readonly remembers: boolean;
  /** Whether the room wants to know who its members are. */
  tellsWho(topic: Topic): boolean;
  /** What was said in a followed room, for these connections. */
  heard(hearing: Hearing): void;
  /** The room's log no longer had what these connections missed. */
  missed(room: string, members: ReadonlySet<Connection>): void;
}

const FOLLOWS = "CREATE TABLE IF NOT EXISTS follows (room TEXT PRIMARY KEY) WITHOUT ROWID";

export class Follows {
  readonly #options: FollowsOptions;
  readonly #memberships: Memberships;
  readonly #stands: Stands;
  readonly #rooms = new Map<string, Followed>();

  constructor(options: FollowsOptions) {
    this.#options = options;
    this.#memberships = new Memberships(options.sql);
    options.sql.exec(FOLLOWS);
    this.#stands = new Stands(options.remembers ? options.sql : undefined);
  }

  /** After a wake, when this object's connections are known again. Names those that are gone. */
  restore(): Lost[] {
    const { sql, find } = this.#options;
    for (const { room } of sql.exec("SELECT room FROM follows"))
      Object.assign(this.#open(room as string), { following: true, asked: true });
    const lost = this.#memberships.restore(find);
    for (const { room, userId } of lost) this.#open(room).untold.add(userId);
    return lost;
  }

  #open(room: string): Followed {
    let followed = this.#rooms.get(room);
    if (!followed) this.#rooms.set(room, (followed = this.#followed(room)));
    return followed;
  }

  #followed(room: string): Followed {
    const topic = parseTopic(room);
    const isAll = topic.kind === "all";
    return followedOf(topic, isAll ? this.#options.everybody : this.#memberships.of(room));
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

  /** Every connection of this object hears the hub's `all` room; this one has just come. */
  async hearAll({ user }: Connection): Promise<void> {
    const followed = this.#open("all");
    if (this.#options.tellsWho(followed.topic)) followed.untold.add(user.id);
    await this.#sync(followed);
  }

  /**
   * The connection belongs into the room, as its token or hub says: where the room cannot be told now, it is told
   * by alarm.
   */
  async belong(connection: Connection, topic: Topic): Promise<void> {
    const followed = this.#open(formatTopic(topic));
    if (!this.#memberships.has(connection, followed.room)) {
      this.#memberships.add(connection, followed.room);
      followed.untold.add(connection.user.id);
    }
    await this.#sync(followed);
  }

  /** Puts the connection into the room, and is done when the room knows. Throws `too_many_groups`. */
  async join(connection: Connection, topic: Topic, most: number): Promise<void> {
    const followed = this.#open(formatTopic(topic));
    if (this.#memberships.has(connection, followed.room)) return followed.syncing;
    if (this.#memberships.roomsOf(connection).length >= most)
      throw new HubError("too_many_groups", `A connection joins ${most} rooms at most.`);
    this.#memberships.add(connection, followed.room);
    followed.untold.add(connection.user.id);
    try {
      await this.#sync(followed);
    } catch (error) {
      this.#remove(connection, followed);
      throw error;
    }
  }

  /** The rooms that this connection is in, as topics. */
  readonly roomsOf = (connection: Connection): string[] => this.#memberships.roomsOf(connection);

  async leave(connection: Connection, topic: Topic): Promise<void> {
    const room = formatTopic(topic);
    if (!this.#memberships.has(connection, room)) return;
    this.#remove(connection, this.#open(room));
    await this.#sync(this.#open(room));
  }

  /** The connection is gone; what it was in is told in the background. */
  async leaveAll(connection: Connection): Promise<void> {
    const followed = this.#memberships.roomsOf(connection).map((room) => this.#open(room));
    for (const one of followed) this.#remove(connection, one);
    const all = this.#rooms.get("all");
    if (all && this.#options.tellsWho(all.topic)) all.untold.add(connection.user.id);
    await Promise.all([...followed, ...(all ? [all] : [])].map((one) => this.#sync(one)));
  }

  #remove(connection: Connection, followed: Followed): void {
    this.#memberships.remove(connection, followed.room);
    followed.catchingUp.end(connection);
    followed.untold.add(connection.user.id);
  }

  /** Tells every room what it does not know yet: after a wake, and by alarm where telling failed. */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#rooms.values()].map((followed) => this.#sync(followed)));
  }

  /** One call to the room at a time; what changed meanwhile goes with the next, and there may be nothing left. */
  #sync(followed: Followed): Promise<void> {
    followed.syncing = followed.syncing.catch(() => {}).then(() => this.#tell(followed));
    return followed.syncing;
  }

  async #tell(followed: Followed): Promise<void> {
    while (followed.members.size > 0 && (followed.untold.size > 0 || !followed.following))
      await this.#follow(followed, [...followed.untold]);
    if (followed.members.size === 0) await this.#unfollow(followed);
  }

  async #follow(followed: Followed, users: readonly string[]): Promise<void> {
    const { room, topic, untold } = followed;
    const tells = this.#options.tellsWho(topic);
    if (!followed.following)
      this.#options.sql.exec("INSERT OR IGNORE INTO follows VALUES (?)", room);
    followed.asked = true;
    for (const user of users) untold.delete(user);
    if (followed.following && !tells) return;
    const counts = tells ? countsOf(followed.members, users) : [];
    try {
      await this.#options.peer(topic).follow(this.#options.self, counts);
      followed.following = true;
    } catch (error) {
      for (const user of users) untold.add(user);
      throw error;
    }
  }

  async #unfollow(followed: Followed): Promise<void> {
    const { room, topic } = followed;
    // Also where following failed: the room may have heard it all the same.
    if (followed.asked) await this.#options.peer(topic).unfollow(this.#options.self);
    followed.asked = false;
    if (followed.members.size > 0) {
      followed.following = false;
      return this.#tell(followed);
    }
    this.#options.sql.exec("DELETE FROM follows WHERE room = ?", room);
    this.#stands.forget(room);
    if (this.#rooms.get(room) === followed) this.#rooms.delete(room);
    this.#memberships.forget(room);
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
      if (at === undefined || entry.offset > at) this.#hear(followed, epoch, entry);
    followed.position = { epoch, offset: Math.max(at ?? 0, entries.at(-1)?.offset ?? after) };
    this.#stands.keep(room, followed.position);
    return { kind: "taken" };
  }

  #hear({ room, members, catchingUp }: Followed, epoch: string, entry: Entry): void {
    const skip = catchingUp.have(epoch, entry.offset);
    this.#options.heard({ room, epoch, entry, audience: members, ...(skip && { skip }) });
  }

  /** Where this object stands in a followed room, as far as it knows. */
  standOf(room: string): Position | undefined {
    return this.#rooms.get(room)?.position ?? this.#stands.of(room);
  }

  /**
   * Puts the connection into the room, with all that was said there since. `tell` gets it, once, and from then on
   * what is new comes by itself. Throws what `join` throws.
   */
  async catchUp(
    connection: Connection,
    { topic, since, most }: CatchUp,
    tell: Tell,
  ): Promise<void> {
    const followed = this.#open(formatTopic(topic));
    const { catchingUp } = followed;
    catchingUp.begin(connection);
    try {
      await this.join(connection, topic, most);
      const room = this.#options.peer(topic);
      const missed = await fetchMissed(room, since, () => followed.position);
      catchingUp.reached(connection, missed.position);
      tell(missed);
    } catch (error) {
      catchingUp.end(connection);
      throw error;
    }
  }
}
