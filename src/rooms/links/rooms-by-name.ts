// The rooms that an object follows, by their topics, and the calls that report its members to them. A room is listed
// from the first member on, until it has confirmed that none is left.

import { logError } from "../../model/logger.ts";
import type { RoomSettings } from "../../model/options.ts";
import { writtenTopic, type Topic } from "../../model/topic.ts";
import type { ConnectionTable } from "../connection/connection-table.ts";
import type { RoomRpc } from "../rpc/room-rpc.ts";
import { FollowedRoom } from "./followed-room.ts";
import type { FollowTable, Memberships } from "./follow-tables.ts";

export interface RoomsByNameOptions {
  /** This object's name, as rooms know their followers. */
  readonly self: string;
  readonly settings: RoomSettings;
  /** Every connection is a member of the hub's `all` room, without a row for each. */
  readonly connections: Pick<ConnectionTable, "all">;
  /** A fresh stub of a room of this hub. */
  room(topic: Topic): RoomRpc;
  /** Requests `settle` at this time, milliseconds since 1970. */
  arm(at: number): void;
  /** Called before a room elsewhere counts users of this object, which must then sweep for lost ones. */
  reporting(): void;
}

/** Pause before changes are reported again to a room that could not be reached. */
export const REPEAT_MS = 5_000;

interface StoredRooms {
  readonly table: FollowTable;
  readonly memberships: Memberships;
}

export class RoomsByName {
  readonly #options: RoomsByNameOptions;
  readonly #stored: StoredRooms;
  readonly #rooms = new Map<string, FollowedRoom>();

  constructor(options: RoomsByNameOptions, stored: StoredRooms) {
    this.#options = options;
    this.#stored = stored;
  }

  get(name: string): FollowedRoom | undefined {
    return this.#rooms.get(name);
  }

  /** The room, which is followed from now on. */
  open(name: string): FollowedRoom {
    let room = this.#rooms.get(name);
    if (!room) this.#rooms.set(name, (room = this.#create(name)));
    return room;
  }

  #create(name: string): FollowedRoom {
    const { self, connections, room, reporting } = this.#options;
    const { table, memberships } = this.#stored;
    const topic = writtenTopic(name);
    const reportsMembers = this.#reportsMembersTo(name);
    if (reportsMembers) reporting();
    return new FollowedRoom(topic, name === ALL ? connections.all : memberships.of(name), {
      ...{ self, table, reportsMembers },
      room: () => room(topic),
    });
  }

  /** The room `all` has presence only if the hub's setting `online` is on. */
  #reportsMembersTo(name: string): boolean {
    return name !== ALL || this.#options.settings.online;
  }

  /** Whether no room elsewhere may have this object as a follower. */
  get isEmpty(): boolean {
    return this.#rooms.size === 0;
  }

  /** Whether a room elsewhere counts users of this object. */
  get isReporting(): boolean {
    for (const name of this.#rooms.keys()) if (this.#reportsMembersTo(name)) return true;
    return false;
  }

  get isStale(): boolean {
    return [...this.#rooms.values()].some((room) => room.isStale);
  }

  /** Sends all missing reports: after a wake, and by alarm after a failed call. */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#rooms.values()].map((room) => this.sync(room)));
    const rooms = [...this.#rooms.values()].filter(({ isStale }) => isStale);
    const stale = new Set(rooms.map(({ name }) => name));
    this.#stored.table.trustAllBut(stale);
    this.#stored.memberships.forgetLost(stale);
  }

  /** Called when the room has forgotten this object. */
  async followAgain(name: string): Promise<void> {
    const room = this.#rooms.get(name);
    room?.doubt();
    if (room) await this.sync(room);
  }

  /** Reports changes to a room; a room without members is no longer followed once it has the report. */
  sync(room: FollowedRoom): Promise<void> {
    const synced = room.sync(() => {
      // A connection may have joined since the room confirmed the `unfollow`.
      if (room.members.size > 0) return;
      if (this.#rooms.get(room.name) === room) this.#rooms.delete(room.name);
      this.#stored.memberships.forget(room.name);
    });
    synced.catch(() => this.#repeatLater(room));
    return synced;
  }

  /** Repeats the report by alarm, also after a sleep, which loses the list of missing reports. */
  #repeatLater({ name }: FollowedRoom): void {
    this.#options.arm(Date.now() + REPEAT_MS);
    try {
      this.#stored.table.doubt(name);
    } catch (error) {
      logError("report_unsaved", { room: name, error });
    }
  }
}

const ALL = "all";
