// How a room is told who of an object's connections is in it: one call at a time, until the room knows all. A row for
// each followed room, so that a wake takes back what a crash has left behind.

import type { Position } from "../../model/position.ts";
import type { Topic } from "../../model/topic.ts";
import { countsOf, type FollowedRoom } from "./followed-room.ts";
import type { RoomRpc } from "../rpc/room-rpc.ts";

export interface FollowLinksOptions {
  readonly sql: SqlStorage;
  /** This object's name, as rooms know their followers. */
  readonly self: string;
  peer(topic: Topic): Pick<RoomRpc, "follow" | "unfollow">;
  /** Whether the room wants to know who its members are. */
  tellsWho(topic: Topic): boolean;
  /** Where the room stood when it was first followed. */
  began(followed: FollowedRoom, position: Position): void;
}

export class FollowSync {
  readonly #options: FollowLinksOptions;

  constructor(options: FollowLinksOptions) {
    this.#options = options;
    options.sql.exec("CREATE TABLE IF NOT EXISTS follows (room TEXT PRIMARY KEY) WITHOUT ROWID");
  }

  /** After a wake: rooms that count this object among their followers, as topics. */
  rooms(): string[] {
    const rows = this.#options.sql.exec("SELECT room FROM follows").toArray();
    return rows.map(({ room }) => room as string);
  }

  /** Tells the room what it does not know yet. True where nobody of this object is in it any more. */
  async settle(followed: FollowedRoom): Promise<boolean> {
    while (followed.members.size > 0 && (followed.untold.size > 0 || !followed.following))
      // oxlint-disable-next-line no-await-in-loop -- what changed meanwhile goes with the next call
      await this.#follow(followed, [...followed.untold]);
    return followed.members.size === 0 && this.#unfollow(followed);
  }

  async #follow(followed: FollowedRoom, users: readonly string[]): Promise<void> {
    const { topic, untold } = followed;
    const isNew = !followed.following;
    if (isNew) this.#options.sql.exec("INSERT OR IGNORE INTO follows VALUES (?)", followed.room);
    followed.asked = true;
    for (const user of users) untold.delete(user);
    const tells = this.#options.tellsWho(topic);
    if (!isNew && !tells) return;
    const counts = tells ? countsOf(followed.members, users) : [];
    try {
      const position = await this.#options.peer(topic).follow(this.#options.self, counts);
      if (isNew && !followed.position) this.#options.began(followed, position);
      followed.following = true;
    } catch (error) {
      for (const user of users) untold.add(user);
      throw error;
    }
  }

  /** Also where following failed: the room may have heard it all the same. */
  async #unfollow(followed: FollowedRoom): Promise<boolean> {
    const { topic } = followed;
    if (followed.asked) await this.#options.peer(topic).unfollow(this.#options.self);
    followed.asked = false;
    if (followed.members.size === 0) {
      this.#options.sql.exec("DELETE FROM follows WHERE room = ?", followed.room);
      return true;
    }
    followed.following = false;
    return this.settle(followed);
  }
}
