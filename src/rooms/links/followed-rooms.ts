// Rooms elsewhere that connections of this object are in. An object follows a room once, however many of its
// connections are in it, and reports them to the room; the room delivers each batch once, and the outbox fans it out.

import { CLOSE, HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { formatTopic, type Position, type Topic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import type { ConnectionTable } from "../connection/connection-table.ts";
import type { Outbox } from "../delivery/outbox.ts";
import type { Entry } from "../rpc/log-entry.ts";
import type { Delivery, DeliveryReply, FollowerPosition } from "../rpc/room-rpc.ts";
import type { FollowedRoom } from "./followed-room.ts";
import { fetchMissed, replayAtJoin } from "./join-replay.ts";
import type { DeliverReplay, JoinRequest, ReplayRequest } from "./join-replay.ts";
import {
  FollowTable,
  Memberships,
  type Cause,
  type FollowStorage,
  type LostMembership,
} from "./follow-tables.ts";
import type { Departure } from "./member-changes.ts";
import { RoomsByName, type RoomsByNameOptions } from "./rooms-by-name.ts";
import { UndeliveredPublications } from "./undelivered-publications.ts";

interface FollowedRoomsOptions extends RoomsByNameOptions {
  readonly storage: FollowStorage;
  readonly connections: Pick<ConnectionTable, "all" | "get" | "close">;
  readonly outbox: Outbox;
  /** Notes each batch that arrives. */
  readonly activity: { readonly isDue: boolean; note(): void };
}

export class FollowedRooms {
  readonly #options: FollowedRoomsOptions;
  readonly #memberships: Memberships;
  readonly #table: FollowTable;
  readonly rooms: RoomsByName;
  #undelivered: UndeliveredPublications | undefined;

  constructor(options: FollowedRoomsOptions) {
    this.#options = options;
    this.#memberships = new Memberships(options.storage.sql);
    this.#table = new FollowTable(options.storage, options.settings);
    const stored = { table: this.#table, memberships: this.#memberships };
    this.rooms = new RoomsByName(options, stored);
  }

  /** Publications of connections here in rooms elsewhere. */
  get undelivered(): UndeliveredPublications {
    return (this.#undelivered ??= new UndeliveredPublications((name) => this.rooms.get(name)));
  }

  /** Called after a wake, once connections are restored. Returns the memberships of lost connections. */
  restore(): LostMembership[] {
    const lost = this.#memberships.restore((id) => this.#options.connections.get(id));
    for (const room of this.#table.rooms())
      this.rooms.open(room).restore(!this.#table.isUnsure(room) && !this.#hasLostUsersOf(room));
    for (const { room, userId } of lost) this.rooms.open(room).memberLost(userId);
    return lost;
  }

  /** The room `all` has no rows of members: if no socket has survived (a crash), users may be lost. */
  #hasLostUsersOf(room: string): boolean {
    const { connections, settings } = this.#options;
    return room === "all" && settings.online && [...connections.all].every(({ socket }) => !socket);
  }

  /** Puts a new connection into the hub's `all` room, like all of this object. Undefined if no report is needed. */
  joinAll(connection: Connection): Promise<void> | undefined {
    const all = this.rooms.open("all");
    if (this.#options.settings.online) all.memberChanged(connection);
    return all.isStale ? this.rooms.sync(all) : undefined;
  }

  /**
   * Puts the connection into a room that its token or hub names. It is a member in any case: if the room cannot be
   * reached, this rejects, and the alarm reports the member later.
   */
  async belong(connection: Connection, topic: Topic, cause: Cause): Promise<void> {
    if (!this.#isHere(connection)) return;
    const room = this.rooms.open(formatTopic(topic));
    const isMember = this.#memberships.has(connection, room.name);
    if (!isMember) room.memberChanged(connection);
    this.#memberships.add(connection, room.name, cause);
    await (isMember ? this.#confirmed(room) : this.rooms.sync(room));
  }

  /**
   * Resolves when the room has the member. May be repeated. If it rejects, such as with `too_many_groups`, the
   * connection is no member.
   */
  async join(connection: Connection, request: JoinRequest): Promise<void> {
    await this.#afterPublications(connection, request.topic);
    await this.#join(connection, this.#roomFor(connection, request), request.cause);
  }

  /** Checks the join before the room is opened: a join that is refused, or comes too late, leaves no entry behind. */
  #roomFor(connection: Connection, { topic, most }: JoinRequest): FollowedRoom {
    if (!this.#isHere(connection)) throw new HubError("interrupted", "The connection is gone.");
    const name = formatTopic(topic);
    if (!this.#memberships.has(connection, name)) this.#memberships.checkLimit(connection, most);
    return this.rooms.open(name);
  }

  async #join(connection: Connection, room: FollowedRoom, cause: Cause): Promise<void> {
    const isMember = this.#memberships.has(connection, room.name);
    this.#memberships.add(connection, room.name, cause);
    if (isMember) return this.#confirmed(room);
    room.memberChanged(connection);
    try {
      await this.rooms.sync(room);
    } catch (error) {
      this.#remove(connection, room, "left");
      throw error;
    }
  }

  /** Confirms a member. A room from before the wake gets another report: a crash may have cut off its `follow`. */
  #confirmed(room: FollowedRoom): Promise<void> {
    if (room.isOfBefore) room.doubt();
    return this.rooms.sync(room);
  }

  /** Writes the connection's earlier publications before members change: they are for the members of that time. */
  async #afterPublications(connection: Connection, topic: Topic): Promise<void> {
    await this.#undelivered?.settled(connection, formatTopic(topic));
    this.#options.outbox.flush();
  }

  /** This object's connections that are in a room elsewhere. */
  membersOf(room: string): Iterable<Connection> {
    return this.rooms.get(room)?.members ?? [];
  }

  /** The rooms that this connection is in, as topics, and why. */
  causesOf(connection: Connection): ReadonlyMap<string, Cause> {
    return this.#memberships.causesOf(connection);
  }

  readonly #isHere = (one: Connection) => this.#options.connections.get(one.id) === one;

  async leave(connection: Connection, topic: Topic): Promise<void> {
    const name = formatTopic(topic);
    connection.pending?.delete(name);
    await this.#afterPublications(connection, topic);
    if (!this.#memberships.has(connection, name)) return;
    await this.#drop(connection, this.rooms.open(name), "left");
  }

  #drop(connection: Connection, room: FollowedRoom, how: Departure): Promise<void> {
    this.#remove(connection, room, how);
    return this.rooms.sync(room);
  }

  /** Removes an ended connection from all its rooms, and reports that to each. Resolves when they confirmed it. */
  async leaveAll(connection: Connection, how: Departure): Promise<void> {
    const rooms = this.#memberships.roomsOf(connection).map((room) => this.rooms.open(room));
    for (const room of rooms) this.#removeEnded(connection, room, how);
    const all = this.rooms.get("all");
    if (all && this.#options.settings.online) all.memberChanged(connection, how);
    await Promise.all([...rooms, ...(all ? [all] : [])].map((room) => this.rooms.sync(room)));
  }

  /** Removes an ended connection from a room, also if that cannot be written. */
  #removeEnded(connection: Connection, room: FollowedRoom, how: Departure): void {
    try {
      this.#remove(connection, room, how);
    } catch (error) {
      logError("membership_unsaved", { room: room.name, error });
      this.#memberships.drop(connection, room.name);
      this.#forgetMember(connection, room, how);
    }
  }

  /** Takes effect here at once; the next `rooms.sync` reports it to the room. */
  #remove(connection: Connection, room: FollowedRoom, how: Departure): void {
    this.#memberships.remove(connection, room.name);
    this.#forgetMember(connection, room, how);
  }

  #forgetMember(connection: Connection, room: FollowedRoom, how: Departure): void {
    room.replays.end(connection);
    room.memberChanged(connection, how);
  }

  /** A batch from a followed room: entries that were delivered before are dropped, a gap before it is reported. */
  deliver(delivery: Delivery): DeliveryReply {
    const room = this.rooms.get(delivery.room);
    if (!room || room.members.size === 0) {
      room?.release();
      return { kind: "gone" };
    }
    const fresh = room.freshIn(delivery);
    if (!fresh) return { kind: "behind", offset: room.position!.offset };
    if (delivery.reset) this.#options.outbox.reset(delivery, room.membersToReset(delivery));
    for (const entry of fresh.entries) this.#publish(room, delivery.epoch, entry);
    // The position is saved before frames are written: the platform holds frames back until earlier rows are durable
    // (output gate), so that a crash repeats nothing to clients that rejoin. If the write fails, the frames are sent
    // nevertheless, once.
    try {
      room.savePosition(fresh.position);
    } finally {
      if (this.#table.keepsPositions) this.#options.outbox.flush();
      room.reach(fresh.position);
    }
    return { kind: "taken" };
  }

  /** This object as a follower of the room; undefined if the room must not answer with a batch. */
  followerIn(topic: Topic): FollowerPosition | undefined {
    return this.rooms.get(formatTopic(topic))?.asFollower;
  }

  #publish({ name, members, replays }: FollowedRoom, epoch: string, entry: Entry): void {
    const { outbox, activity } = this.#options;
    const skip = replays.until.size > 0 ? replays.have(epoch, entry.offset) : undefined;
    if (!activity.isDue) activity.note();
    outbox.publish({ room: name, epoch, entry, audience: members, ...(skip && { skip }) });
  }

  /** The position of this object in a followed room, if it has one, or of a connection that is replaying. */
  positionIn(room: string, connection?: Connection): Position | undefined {
    const followed = this.rooms.get(room);
    return followed ? followed.positionOf(connection) : this.#table.position(room);
  }

  /**
   * Joins, and passes all entries after a position to `deliver`, once; live batches follow. Rejects with the errors of
   * the join and the replay, and with `cancelled` if the connection has left meanwhile.
   */
  async joinWithReplay(connection: Connection, request: ReplayRequest, deliver: DeliverReplay) {
    // Queued entries are older than the replay's end, and must not reach the new member.
    await this.#afterPublications(connection, request.topic);
    const room = this.#roomFor(connection, request);
    const replay = { ...request, replays: room.replays, deliver };
    await replayAtJoin(connection, replay, {
      isMember: () => this.#memberships.has(connection, room.name),
      join: () => this.#join(connection, room, request.cause),
      missed: () => fetchMissed(this.#options, request, () => room.position),
      // If the room cannot be reached now, an alarm repeats the report.
      remove: () => void this.#drop(connection, room, "lost").catch(() => {}),
      close: () => this.#options.connections.close(connection, CLOSE.interrupted),
    });
  }
}
