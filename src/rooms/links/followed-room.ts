// One room elsewhere that this object follows: its members here, the position up to which its log was delivered, and
// the changes that the room does not know yet. The other side is room/followers.ts. The follow protocol, as the
// follower keeps it:
//
//   · `follow` reports how many connections of a user are here: absolute, so it may be repeated after a failure.
//   · One call to the room at a time; changes meanwhile go with the next.
//   · Before the first `follow` a row is written. After a crash the next wake finds it, and reports the members left.
//   · `unfollow` is sent even where `follow` failed, for the room may have received it all the same.
//   · A batch whose entries were delivered before is dropped, one that leaves a gap is answered `behind` (`freshIn`).

import { formatTopic, type Position, type Topic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import type { Entry } from "../rpc/log-entry.ts";
import { retryOnce } from "../rpc/retry-once.ts";
import type { Delivery, FollowerPosition, MemberCount, RoomRpc, Traces } from "../rpc/room-rpc.ts";
import type { FollowTable } from "./follow-tables.ts";
import { JoinReplays } from "./join-replay.ts";
import { isReached, ReachedPositions } from "./undelivered-publications.ts";

/**
 * - `idle`: the room was never asked, or has confirmed that it let this object go.
 * - `unknown`: the room may count this object among its followers.
 * - `following`: the room delivers to this object.
 */
type State = "idle" | "unknown" | "following";

/** How a member left: by a loss, so that it may return soon, or on purpose. */
export type Departure = "lost" | "left";

/** Ids of users, with a trace where there is one. */
type ChangedUsers = ReadonlyMap<string, string | undefined>;

interface FollowedRoomOptions {
  /** This object's name, as rooms know their followers. */
  readonly self: string;
  readonly table: FollowTable;
  /** Whether members are reported to the room: not for a hub's `all` room without presence. */
  readonly reportsMembers: boolean;
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
  /** Undefined until a publication is waited for. */
  #reached: ReachedPositions | undefined;
  #state: State = "idle";
  /** Users whose number of connections the room does not know yet, with the trace of the newest that came or went. */
  readonly #changedUsers = new Map<string, string | undefined>();
  /** Of these, users whose latest change is a connection that left on purpose. */
  readonly #deliberateLeaves = new Set<string>();
  /** Unknown after a wake without saved positions; the room knows then. */
  #position: Position | undefined;
  #lastSync: Promise<void> = Promise.resolve();

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

  /** Undefined where a batch would be refused, or the room knows better than this object what it has. */
  get asFollower(): FollowerPosition | undefined {
    if (!this.#position || this.members.size === 0) return undefined;
    return { follower: this.#options.self, position: this.#position };
  }

  /** Whether the room does not know the present members yet. */
  get isStale(): boolean {
    return this.members.size === 0 || this.#changedUsers.size > 0 || this.#state !== "following";
  }

  /** After a wake: a connection of this user did not survive. */
  memberLost(userId: string): void {
    this.#changedUsers.set(userId, undefined);
  }

  /** The connection has joined, was lost, or has left on purpose. */
  memberChanged({ user, attached }: Connection, how: "joined" | Departure = "joined"): void {
    this.#changedUsers.set(user.id, attached.trace);
    if (how === "left") this.#deliberateLeaves.add(user.id);
    else this.#deliberateLeaves.delete(user.id);
  }

  /** Done when the call under way is; rejects as it does. */
  get synced(): Promise<void> {
    return this.#lastSync;
  }

  /**
   * Reports changes to the room, after the call under way; `left` is called once the room has confirmed an `unfollow`.
   */
  sync(left: () => void): Promise<void> {
    this.#lastSync = this.#after(this.#lastSync, left);
    return this.#lastSync;
  }

  async #after(previous: Promise<void>, left: () => void): Promise<void> {
    await previous.catch(() => {});
    if (await this.#syncUntilCurrent()) left();
  }

  async #syncUntilCurrent(): Promise<boolean> {
    while (this.members.size > 0 && (this.#changedUsers.size > 0 || this.#state !== "following"))
      // oxlint-disable-next-line no-await-in-loop -- changes meanwhile go with the next call
      await this.#follow(new Map(this.#changedUsers));
    return this.members.size === 0 && this.#unfollow();
  }

  async #follow(users: ChangedUsers): Promise<void> {
    const { table, reportsMembers, room, self } = this.#options;
    const isNew = this.#state !== "following";
    if (isNew) table.add(this.name);
    if (isNew) this.#state = "unknown";
    const left = this.#takeDeliberateLeaves(users.keys());
    for (const user of users.keys()) this.#changedUsers.delete(user);
    if (!isNew && !reportsMembers) return;
    try {
      const counts = reportsMembers ? this.#countsOf(users, left) : [];
      const position = await retryOnce(() => room().follow(self, counts));
      if (isNew && !this.#position) this.#begin(position);
      this.#state = "following";
    } catch (error) {
      for (const [user, trace] of users)
        if (!this.#changedUsers.has(user)) this.#changedUsers.set(user, trace);
      for (const user of left) this.#deliberateLeaves.add(user);
      throw error;
    }
  }

  /** The room's position as it was followed: live batches come after it. */
  #begin(position: Position): void {
    this.savePosition(position);
    this.reach(position);
  }

  /** Those of the users whose latest change is a deliberate leave. It is reported once. */
  #takeDeliberateLeaves(users: Iterable<string>): ReadonlySet<string> {
    return new Set([...users].filter((user) => this.#deliberateLeaves.delete(user)));
  }

  #countsOf(users: ChangedUsers, left: ReadonlySet<string>): MemberCount[] {
    const counts = new Map([...users.keys()].map((user) => [user, 0]));
    for (const { user } of this.members) {
      const count = counts.get(user.id);
      if (count !== undefined) counts.set(user.id, count + 1);
    }
    return [...counts].map(([user, count]) => {
      const how = count === 0 && left.has(user) ? "left" : undefined;
      const trace = users.get(user);
      if (trace !== undefined) return [user, count, how, trace];
      return how ? [user, count, how] : [user, count];
    });
  }

  async #unfollow(): Promise<boolean> {
    const { table, room, self } = this.#options;
    const left = this.#takeDeliberateLeaves(this.#deliberateLeaves);
    try {
      if (this.#state !== "idle") await room().unfollow(self, [...left], ...this.#tracesLeft());
    } catch (error) {
      for (const user of left) this.#deliberateLeaves.add(user);
      throw error;
    }
    this.#state = "idle";
    if (this.members.size > 0) return this.#syncUntilCurrent();
    table.remove(this.name);
    table.forgetPosition(this.name);
    return true;
  }

  /** No argument where nobody's connection had a trace. */
  #tracesLeft(): [] | [Traces] {
    const traces = [...this.#changedUsers].filter(([, trace]) => trace !== undefined);
    return traces.length === 0 ? [] : [new Map(traces as [string, string][])];
  }

  /** A delivery is answered `gone`, and the room removes this object from its followers. */
  release(): void {
    if (this.#state === "following") this.#state = "unknown";
  }

  /** The entries of a batch that were not delivered before; undefined where entries are missing before it. */
  freshIn({ epoch, after, entries, reset, from = Infinity }: Delivery): FreshEntries | undefined {
    const at = this.#position?.epoch === epoch ? this.#position.offset : undefined;
    // A reset for entries that were delivered here: a crash of the room lost the offset that this object had confirmed.
    if (at !== undefined && (reset ? at > from : after > at)) return undefined;
    const offset = Math.max(at ?? 0, entries.at(-1)?.offset ?? after);
    const fresh = at === undefined ? entries : entries.filter((entry) => entry.offset > at);
    return { entries: fresh, position: { epoch, offset } };
  }

  /**
   * Members that a reset is for. One whose replay has brought as much already, or is still to bring it, would be set back
   * by the state that comes with it, and get no entry again that its replay had.
   */
  membersToReset({ epoch, state }: Delivery): Iterable<Connection> {
    if (!state || this.replays.until.size === 0) return this.members;
    const have = this.replays.have(epoch, state.position.offset);
    return [...this.members].filter((member) => !have.has(member));
  }

  /** In storage alone: `reach` follows once the batch is written. */
  savePosition(position: Position): void {
    const { table } = this.#options;
    if (table.keepsPositions) table.savePosition(this.name, position);
  }

  /** Everything up to here was delivered. */
  reach(position: Position): void {
    this.#position = position;
    this.#reached?.reach(position);
  }

  /** Done when everything up to here was delivered, or the room is slow to deliver it. */
  async whenReached(position: Position): Promise<void> {
    if (this.#position && isReached(position, this.#position)) return;
    await (this.#reached ??= new ReachedPositions()).wait(position);
  }

  /** The position of this object, or of a member that is replaying. */
  positionOf(connection?: Connection): Position | undefined {
    const here = this.#position ?? this.#options.table.position(this.name);
    return connection ? this.replays.positionOf(connection, here) : here;
  }
}
