// One room elsewhere that this object follows: its members here, how far its log was delivered, and what the room still
// has to be told. The follow protocol, as the follower keeps it:
//
//   · `follow` says how many connections of a user are here: absolute, so it may be repeated after a failure.
//   · One call to the room at a time; what changes meanwhile goes with the next.
//   · Before the first `follow` a row is written: a wake finds it, and takes back what a crash has left behind.
//   · `unfollow` is sent even where `follow` failed, for the room may have received it all the same.

import type { Position } from "../../model/position.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import type { Entry } from "../rpc/log-entry.ts";
import type { Delivery, MemberCount, RoomRpc } from "../rpc/room-rpc.ts";
import type { FollowTable } from "./follow-table.ts";
import { JoinReplays } from "./join-replay.ts";

/**
 * - `idle`: the room was never asked, or has confirmed that it let this object go.
 * - `unknown`: the room may count this object among its followers.
 * - `following`: the room delivers to this object.
 */
type State = "idle" | "unknown" | "following";

/** How a member went: by a loss, so that it may be back soon, or on purpose. */
export type Departure = "lost" | "left";

export interface FollowedRoomOptions {
  /** This object's name, as rooms know their followers. */
  readonly self: string;
  readonly table: FollowTable;
  /** Whether the room keeps presence of its members, and is told of each. */
  readonly tellsMembers: boolean;
  /** A fresh stub. */
  room(): Pick<RoomRpc, "follow" | "unfollow">;
}

/** Entries of a delivery that were not delivered before, and the position after them. */
interface FreshEntries {
  readonly entries: readonly Entry[];
  readonly position: Position;
}

export class FollowedRoom {
  readonly #options: FollowedRoomOptions;
  readonly topic: Topic;
  /** The topic as text. */
  readonly name: string;
  readonly members: ReadonlySet<Connection>;
  /** Members that are replaying, and when their replay meets live batches. */
  readonly replays = new JoinReplays();
  #state: State = "idle";
  /** Users whose count the room does not know yet. */
  readonly #untold = new Set<string>();
  /** Of these, users whose latest change is a connection that left on purpose. */
  readonly #departed = new Set<string>();
  /** Unknown after a wake without saved positions; the room knows then. */
  #position: Position | undefined;
  #syncing: Promise<void> = Promise.resolve();

  constructor(topic: Topic, members: ReadonlySet<Connection>, options: FollowedRoomOptions) {
    this.#options = options;
    this.topic = topic;
    this.name = formatTopic(topic);
    this.members = members;
  }

  /** After a wake: the room was followed before. */
  restore(): void {
    this.#state = "following";
    this.#position = this.#options.table.position(this.name);
  }

  get position(): Position | undefined {
    return this.#position;
  }

  /** Whether the room does not know yet how things are here. */
  get isStale(): boolean {
    return this.members.size === 0 || this.#untold.size > 0 || this.#state !== "following";
  }

  /** A connection of this user has come, was lost, or has left on purpose. */
  memberChanged(userId: string, how: "came" | Departure = "came"): void {
    this.#untold.add(userId);
    if (how === "left") this.#departed.add(userId);
    else this.#departed.delete(userId);
  }

  /** Done when the call that is under way is; rejects with what it failed with. */
  get synced(): Promise<void> {
    return this.#syncing;
  }

  /** Tells the room what it does not know yet; `left` is called once no member is here and the room knows. */
  sync(left: () => void): Promise<void> {
    this.#syncing = this.#after(this.#syncing, left);
    return this.#syncing;
  }

  async #after(previous: Promise<void>, left: () => void): Promise<void> {
    await previous.catch(() => {});
    if (await this.#settle()) left();
  }

  async #settle(): Promise<boolean> {
    while (this.members.size > 0 && (this.#untold.size > 0 || this.#state !== "following"))
      // oxlint-disable-next-line no-await-in-loop -- what changed meanwhile goes with the next call
      await this.#follow([...this.#untold]);
    return this.members.size === 0 && this.#unfollow();
  }

  async #follow(users: readonly string[]): Promise<void> {
    const { table, tellsMembers, room, self } = this.#options;
    const isNew = this.#state !== "following";
    if (isNew) table.add(this.name);
    if (isNew) this.#state = "unknown";
    const left = this.#takeDeparted(users);
    for (const user of users) this.#untold.delete(user);
    if (!isNew && !tellsMembers) return;
    try {
      const position = await room().follow(self, tellsMembers ? this.#countsOf(users, left) : []);
      if (isNew && !this.#position) this.reach(position);
      this.#state = "following";
    } catch (error) {
      for (const user of users) this.#untold.add(user);
      for (const user of left) this.#departed.add(user);
      throw error;
    }
  }

  /** Those of the users whose latest change is a deliberate leave; the room is told of it once. */
  #takeDeparted(users: Iterable<string>): ReadonlySet<string> {
    return new Set([...users].filter((user) => this.#departed.delete(user)));
  }

  #countsOf(users: readonly string[], left: ReadonlySet<string>): MemberCount[] {
    const counts = new Map(users.map((user) => [user, 0]));
    for (const { user } of this.members) {
      const count = counts.get(user.id);
      if (count !== undefined) counts.set(user.id, count + 1);
    }
    return [...counts].map(([user, count]) =>
      count === 0 && left.has(user) ? [user, 0, "left"] : [user, count],
    );
  }

  async #unfollow(): Promise<boolean> {
    const { table, room, self } = this.#options;
    const left = this.#takeDeparted(this.#departed);
    try {
      if (this.#state !== "idle") await room().unfollow(self, [...left]);
    } catch (error) {
      for (const user of left) this.#departed.add(user);
      throw error;
    }
    this.#state = "idle";
    if (this.members.size > 0) return this.#settle();
    table.remove(this.name);
    table.forgetPosition(this.name);
    return true;
  }

  /** The room is answered that no member is here, and lets this object go. */
  release(): void {
    if (this.#state === "following") this.#state = "unknown";
  }

  /** What a batch brings that was not delivered before; undefined where batches are missing before it. */
  freshIn({ epoch, after, entries, reset, from = Infinity }: Delivery): FreshEntries | undefined {
    const at = this.#position?.epoch === epoch ? this.#position.offset : undefined;
    // A reset that reaches further back than this object: the room forgot in a crash how far it had come.
    if (at !== undefined && (reset ? at > from : after > at)) return undefined;
    const offset = Math.max(at ?? 0, entries.at(-1)?.offset ?? after);
    const fresh = at === undefined ? entries : entries.filter((entry) => entry.offset > at);
    return { entries: fresh, position: { epoch, offset } };
  }

  /** Everything up to here was delivered. */
  reach(position: Position): void {
    this.#position = position;
    const { table } = this.#options;
    if (table.keepsPositions) table.savePosition(this.name, position);
  }

  /** The position of this object, or of a member that is replaying. */
  positionOf(connection?: Connection): Position | undefined {
    const here = this.#position ?? this.#options.table.position(this.name);
    return connection ? this.replays.positionOf(connection, here) : here;
  }
}
