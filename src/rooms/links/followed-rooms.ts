// The follower's side of follow links: rooms elsewhere that connections of this object are in. An object follows a room
// once, however many of its connections are in it, and tells the room who they are.

import { HubError } from "../../model/errors.ts";
import type { RoomSettings } from "../../model/options.ts";
import type { Position } from "../../model/position.ts";
import { formatTopic, parseTopic, type Topic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import type { ConnectionTable } from "../connection/connection-table.ts";
import type { Outbox } from "../delivery/outbox.ts";
import type { Entry } from "../rpc/log-entry.ts";
import type { Delivery, DeliveryReply, RoomRpc } from "../rpc/room-rpc.ts";
import { FollowedRoom, type Departure } from "./followed-room.ts";
import { FollowTable } from "./follow-table.ts";
import { fetchMissed, type DeliverReplay, type ReplayRequest } from "./join-replay.ts";
import { Memberships, type Cause, type Lost } from "./memberships.ts";

export interface FollowedRoomsOptions {
  readonly sql: SqlStorage;
  /** This object's name, as rooms know their followers. */
  readonly self: string;
  readonly settings: RoomSettings;
  /** Every connection is a member of the hub's `all` room, without a row for each. */
  readonly connections: Pick<ConnectionTable, "all" | "get">;
  readonly outbox: Outbox;
  /** Noted for each batch that comes. */
  readonly activity: { readonly isDue: boolean; note(): void };
  /** A fresh stub of a room of this hub. */
  room(topic: Topic): RoomRpc;
}

/** A connection that joins a room. */
export type JoinRequest = Pick<ReplayRequest, "topic" | "most" | "cause">;

export class FollowedRooms {
  readonly #options: FollowedRoomsOptions;
  readonly #memberships: Memberships;
  readonly #table: FollowTable;
  readonly #rooms = new Map<string, FollowedRoom>();

  constructor(options: FollowedRoomsOptions) {
    this.#options = options;
    const { sql, settings } = options;
    this.#memberships = new Memberships(sql);
    const keepsPositions =
      settings.rememberGroups > 0 || settings.signalR.statefulReconnect !== undefined;
    this.#table = new FollowTable({ sql, keepsPositions });
  }

  /** After a wake, once this object's connections are known again. Gives the memberships of those that are gone. */
  restore(): Lost[] {
    for (const room of this.#table.rooms()) this.#open(room).restore();
    const lost = this.#memberships.restore((id) => this.#options.connections.get(id));
    for (const { room, userId } of lost) this.#open(room).memberChanged(userId, "lost");
    return lost;
  }

  #open(name: string): FollowedRoom {
    let room = this.#rooms.get(name);
    if (!room) this.#rooms.set(name, (room = this.#made(name)));
    return room;
  }

  #made(name: string): FollowedRoom {
    const { self, connections, settings, room } = this.#options;
    const topic = parseTopic(name);
    const isAll = topic.kind === "all";
    return new FollowedRoom(topic, isAll ? connections.all : this.#memberships.of(name), {
      ...{ self, table: this.#table },
      tellsMembers: !isAll || settings.online,
      room: () => room(topic),
    });
  }

  /** Whether rooms elsewhere count on this object. */
  get any(): boolean {
    return this.#rooms.size > 0;
  }

  /** Whether some room does not know yet how things are here. */
  get isStale(): boolean {
    return [...this.#rooms.values()].some((room) => room.isStale);
  }

  /** Every connection of this object is in the hub's `all` room; this one has just come. */
  async joinAll({ user }: Connection): Promise<void> {
    const all = this.#open("all");
    if (this.#options.settings.online) all.memberChanged(user.id);
    await this.#sync(all);
  }

  /**
   * The connection belongs into the room, as its token or hub says. A room that cannot be told now is told by alarm:
   * this rejects then, and the connection is a member all the same.
   */
  async belong(connection: Connection, topic: Topic, cause: Cause): Promise<void> {
    if (!this.#isHere(connection)) return;
    const room = this.#open(formatTopic(topic));
    if (!this.#memberships.has(connection, room.name)) room.memberChanged(connection.user.id);
    this.#memberships.add(connection, room.name, cause);
    await this.#sync(room);
  }

  /**
   * Puts the connection into the room; done when the room knows. May be repeated. Throws `too_many_groups`,
   * `interrupted`, and what the call to the room throws: then the connection is no member.
   */
  async join(connection: Connection, { topic, most, cause }: JoinRequest): Promise<void> {
    // Membership of a connection that is gone would never be taken back.
    if (!this.#isHere(connection)) throw new HubError("interrupted", "The connection is gone.");
    const room = this.#open(formatTopic(topic));
    const isMember = this.#memberships.has(connection, room.name);
    if (!isMember && this.#memberships.roomsOf(connection).length >= most)
      throw new HubError("too_many_groups", `A connection joins ${most} rooms at most.`);
    this.#memberships.add(connection, room.name, cause);
    if (isMember) return room.synced;
    room.memberChanged(connection.user.id);
    try {
      await this.#sync(room);
    } catch (error) {
      this.#remove(connection, room, "left");
      throw error;
    }
  }

  /** This object's connections that are in a room elsewhere. */
  membersOf(room: string): Iterable<Connection> {
    return this.#rooms.get(room)?.members ?? [];
  }

  /** The rooms that this connection is in, as topics, and why. */
  causesOf(connection: Connection): ReadonlyMap<string, Cause> {
    return this.#memberships.causesOf(connection);
  }

  #isHere(connection: Connection): boolean {
    return this.#options.connections.get(connection.id) === connection;
  }

  async leave(connection: Connection, topic: Topic): Promise<void> {
    const name = formatTopic(topic);
    if (!this.#memberships.has(connection, name)) return;
    const room = this.#open(name);
    this.#remove(connection, room, "left");
    await this.#sync(room);
  }

  /** The connection has ended, by a loss or on purpose. Done when its rooms know. */
  async leaveAll(connection: Connection, how: Departure): Promise<void> {
    const rooms = this.#memberships.roomsOf(connection).map((room) => this.#open(room));
    for (const room of rooms) this.#remove(connection, room, how);
    const all = this.#rooms.get("all");
    if (all && this.#options.settings.online) all.memberChanged(connection.user.id, how);
    await Promise.all([...rooms, ...(all ? [all] : [])].map((room) => this.#sync(room)));
  }

  #remove(connection: Connection, room: FollowedRoom, how: Departure): void {
    this.#memberships.remove(connection, room.name);
    room.replays.end(connection);
    room.memberChanged(connection.user.id, how);
  }

  /** Tells every room what it does not know yet: after a wake, and by alarm where a call failed. */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#rooms.values()].map((room) => this.#sync(room)));
  }

  #sync(room: FollowedRoom): Promise<void> {
    return room.sync(() => {
      if (this.#rooms.get(room.name) === room) this.#rooms.delete(room.name);
      this.#memberships.forget(room.name);
    });
  }

  /** A batch from a followed room: what was delivered before is dropped, what is missing is asked for again. */
  deliver(delivery: Delivery): DeliveryReply {
    const room = this.#rooms.get(delivery.room);
    if (!room || room.members.size === 0) {
      room?.release();
      return { kind: "gone" };
    }
    const fresh = room.freshIn(delivery);
    if (!fresh) return { kind: "behind", offset: room.position!.offset };
    if (delivery.reset) this.#reset(room);
    for (const entry of fresh.entries) this.#publish(room, delivery.epoch, entry);
    // In one commit: a crash between them neither repeats the batch to clients nor loses it.
    if (this.#table.keepsPositions) this.#options.outbox.flush();
    room.reach(fresh.position);
    return { kind: "taken" };
  }

  /** The room's log no longer had what its members here missed. */
  #reset({ name, members }: FollowedRoom): void {
    for (const connection of members)
      this.#options.outbox.send(connection, {
        ...{ type: "control", name: "reset", params: {}, room: name },
      });
  }

  #publish({ name, members, replays }: FollowedRoom, epoch: string, entry: Entry): void {
    const { outbox, activity } = this.#options;
    const skip = replays.until.size > 0 ? replays.have(epoch, entry.offset) : undefined;
    if (!activity.isDue) activity.note();
    outbox.publish({ room: name, epoch, entry, audience: members, ...(skip && { skip }) });
  }

  /** The position of this object in a followed room, as far as it knows, or of a connection that is replaying. */
  positionIn(room: string, connection?: Connection): Position | undefined {
    const followed = this.#rooms.get(room);
    return followed ? followed.positionOf(connection) : this.#table.position(room);
  }

  /**
   * Puts the connection into the room with everything after a position: `deliver` gets it, once, and live batches
   * follow by themselves. Throws what `join` throws, and `cancelled` where the connection has left meanwhile.
   */
  async joinWithReplay(
    connection: Connection,
    request: ReplayRequest,
    deliver: DeliverReplay,
  ): Promise<void> {
    const { topic, since } = request;
    const room = this.#open(formatTopic(topic));
    const { replays } = room;
    // What waits to be written is older than the replay's end, and must not reach the new member.
    this.#options.outbox.flush();
    replays.begin(connection, since);
    try {
      await this.join(connection, request);
      const missed = await fetchMissed(this.#options.room(topic), since, () => room.position);
      // Left, or not admitted by a fresh token, while the room was asked.
      if (!this.#memberships.has(connection, room.name))
        throw new HubError("cancelled", "The connection has left the room meanwhile.");
      replays.reach(connection, missed.position);
      deliver(missed);
    } catch (error) {
      replays.end(connection);
      throw error;
    }
  }
}
