// The follower's side of a follow link: rooms elsewhere that connections of this object are in. An object follows a
// room once, however many of its connections are in it, and tells it who they are.

import { HubError } from "../../model/errors.ts";
import type { Position } from "../../model/position.ts";
import { formatTopic, parseTopic, type Topic } from "../../model/topic.ts";
import { fetchMissed, type CatchUp, type Tell } from "./join-replay.ts";
import type { Connection } from "../connection/connection.ts";
import { FollowSync } from "./follow-sync.ts";
import { followedOf, newIn, type FollowedRoom } from "./followed-room.ts";
import { Memberships, type Cause, type Lost } from "./memberships.ts";
import type { Hearing } from "../delivery/outbox.ts";
import type { Delivery, DeliveryReply, RoomRpc } from "../rpc/room-rpc.ts";
import type { Entry } from "../rpc/log-entry.ts";
import { SavedPositions } from "./saved-positions.ts";

export interface FollowsOptions {
  readonly sql: SqlStorage;
  /** This object's name, as rooms know their followers. */
  readonly self: string;
  /** All connections of this object: they are the members of the hub's `all` room, without a row for each. */
  readonly everybody: ReadonlySet<Connection>;
  find(connection: string): Connection | undefined;
  peer(topic: Topic): RoomRpc;
  /** Whether a client that comes back wants to know how far it came. */
  readonly remembers: boolean;
  /** Whether the room wants to know who its members are. */
  tellsWho(topic: Topic): boolean;
  /** Writes all that was heard: to those who are members now. */
  flush(): void;
  /** What was said in a followed room, for these connections. */
  heard(hearing: Hearing): void;
  /** The room's log no longer had what these connections missed. */
  missed(room: string, members: ReadonlySet<Connection>): void;
}

/** A connection that comes into a room. */
export type Joining = Pick<CatchUp, "topic" | "most" | "cause">;

export class FollowedRooms {
  readonly #options: FollowsOptions;
  readonly #memberships: Memberships;
  readonly #links: FollowSync;
  readonly #stands: SavedPositions;
  readonly #rooms = new Map<string, FollowedRoom>();

  constructor(options: FollowsOptions) {
    this.#options = options;
    this.#memberships = new Memberships(options.sql);
    this.#stands = new SavedPositions(options.remembers ? options.sql : undefined);
    const began = (followed: FollowedRoom, position: Position) => this.#reach(followed, position);
    this.#links = new FollowSync({ ...options, began });
  }

  /** After a wake, when this object's connections are known again. Names those that are gone. */
  restore(): Lost[] {
    for (const room of this.#links.rooms())
      Object.assign(this.#open(room), {
        ...{ following: true, asked: true, position: this.#stands.of(room) },
      });
    const lost = this.#memberships.restore(this.#options.find);
    for (const { room, userId } of lost) this.#open(room).untold.add(userId);
    return lost;
  }

  #open(room: string): FollowedRoom {
    let followed = this.#rooms.get(room);
    if (!followed) this.#rooms.set(room, (followed = this.#followed(room)));
    return followed;
  }

  #followed(room: string): FollowedRoom {
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
  async belong(connection: Connection, topic: Topic, cause: Cause): Promise<void> {
    if (!this.#isHere(connection)) return;
    const followed = this.#open(formatTopic(topic));
    if (!this.#memberships.has(connection, followed.room)) followed.untold.add(connection.user.id);
    this.#memberships.add(connection, followed.room, cause);
    await this.#sync(followed);
  }

  /** Puts the connection into the room, and is done when the room knows. Throws `too_many_groups`. */
  async join(connection: Connection, { topic, most, cause }: Joining): Promise<void> {
    // Nobody would ever take back what one that is gone has joined.
    if (!this.#isHere(connection)) throw new HubError("interrupted", "The connection is gone.");
    const followed = this.#open(formatTopic(topic));
    if (this.#memberships.has(connection, followed.room)) {
      this.#memberships.add(connection, followed.room, cause);
      return followed.syncing;
    }
    if (this.#memberships.roomsOf(connection).length >= most)
      throw new HubError("too_many_groups", `A connection joins ${most} rooms at most.`);
    this.#memberships.add(connection, followed.room, cause);
    followed.untold.add(connection.user.id);
    try {
      await this.#sync(followed);
    } catch (error) {
      this.#remove(connection, followed);
      throw error;
    }
  }

  /** Those of this object's connections that are in a room elsewhere. */
  membersOf(room: string): Iterable<Connection> {
    return this.#rooms.get(room)?.members ?? [];
  }

  /** The rooms that this connection is in, as topics, and who put it there. */
  causesOf(connection: Connection): ReadonlyMap<string, Cause> {
    return this.#memberships.causesOf(connection);
  }

  #isHere(connection: Connection): boolean {
    return this.#options.find(connection.id) === connection;
  }

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

  #remove(connection: Connection, followed: FollowedRoom): void {
    this.#memberships.remove(connection, followed.room);
    followed.catchingUp.end(connection);
    followed.untold.add(connection.user.id);
  }

  /** Tells every room what it does not know yet: after a wake, and by alarm where telling failed. */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#rooms.values()].map((followed) => this.#sync(followed)));
  }

  /** One call to the room at a time; what changed meanwhile goes with the next, and there may be nothing left. */
  #sync(followed: FollowedRoom): Promise<void> {
    followed.syncing = followed.syncing.catch(() => {}).then(() => this.#tell(followed));
    return followed.syncing;
  }

  async #tell(followed: FollowedRoom): Promise<void> {
    if (!(await this.#links.settle(followed))) return;
    const { room } = followed;
    this.#stands.forget(room);
    if (this.#rooms.get(room) === followed) this.#rooms.delete(room);
    this.#memberships.forget(room);
  }

  /** A batch from a followed room: what was heard before is dropped, what is missing is asked for again. */
  deliver(delivery: Delivery): DeliveryReply {
    const { room, epoch, reset } = delivery;
    const followed = this.#rooms.get(room);
    if (!followed || followed.members.size === 0) {
      if (followed) followed.following = false;
      return { kind: "gone" };
    }
    const taken = newIn(followed, delivery);
    if (!taken) return { kind: "behind", offset: followed.position!.offset };
    if (reset) this.#options.missed(room, followed.members);
    for (const entry of taken.entries) this.#hear(followed, epoch, entry);
    // In one commit: where a crash comes between them, it is neither heard twice nor never.
    if (this.#stands.kept) this.#options.flush();
    this.#reach(followed, taken.position);
    return { kind: "taken" };
  }

  #reach(followed: FollowedRoom, position: Position): void {
    followed.position = position;
    this.#stands.keep(followed.room, position);
  }

  #hear({ room, members, catchingUp }: FollowedRoom, epoch: string, entry: Entry): void {
    const skip = catchingUp.have(epoch, entry.offset);
    this.#options.heard({ room, epoch, entry, audience: members, ...(skip && { skip }) });
  }

  /** Where this object stands in a followed room, as far as it knows, or the connection where it was told otherwise. */
  standOf(room: string, connection?: Connection): Position | undefined {
    const followed = this.#rooms.get(room);
    const stand = followed?.position ?? this.#stands.of(room);
    return connection && followed ? followed.catchingUp.standOf(connection, stand) : stand;
  }

  /**
   * Puts the connection into the room, with all that was said there since. `tell` gets it, once, and from then on
   * what is new comes by itself. Throws what `join` throws.
   */
  async catchUp(connection: Connection, wanted: CatchUp, tell: Tell): Promise<void> {
    const { topic, since } = wanted;
    const followed = this.#open(formatTopic(topic));
    const { catchingUp } = followed;
    // What waits to be written is not for who comes now.
    this.#options.flush();
    catchingUp.begin(connection, since);
    try {
      await this.join(connection, wanted);
      const room = this.#options.peer(topic);
      const missed = await fetchMissed(room, since, () => followed.position);
      // Left, or not admitted by a fresh token, while the room was asked.
      if (!this.#memberships.has(connection, followed.room))
        throw new HubError("cancelled", "The connection has left the room meanwhile.");
      catchingUp.reached(connection, missed.position);
      tell(missed);
    } catch (error) {
      catchingUp.end(connection);
      throw error;
    }
  }
}
