// One room elsewhere that this object follows: its members here, the position up to which its log was delivered, and
// the changes that were not reported to the room yet. The other side is room/followers.ts. The follow protocol on the
// follower's side:
//
//   · `follow` reports the number of connections of each user: absolute, so it may be repeated after a failure. If the
//     room's counts of this object may be wrong (`unknown`), it has all users instead of the changed ones.
//   · One call to the room at a time; changes meanwhile go with the next.
//   · Before the first `follow` a row is written. After a crash the next wake finds it, and reports the members left.
//   · `unfollow` is sent even if `follow` failed, because the room may have received it.
//   · Without members here the position is forgotten: the next member begins at the newest entry of its time.
//   · A batch whose entries were delivered before is dropped, one that leaves a gap is answered `behind` (`freshIn`).

import { formatTopic, type Position, type Topic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import type { Entry } from "../rpc/log-entry.ts";
import { retryOnce } from "../rpc/retry-once.ts";
import type { Delivery, FollowerPosition, RoomRpc } from "../rpc/room-rpc.ts";
import type { FollowTable } from "./follow-tables.ts";
import { JoinReplays } from "./join-replay.ts";
import {
  memberCounts,
  MemberChanges,
  type Departure,
  type TakenChanges,
} from "./member-changes.ts";
import { isReached, DeliveredPositions } from "./undelivered-publications.ts";

/**
 * - `idle`: no `follow` was sent, or the room has confirmed `unfollow`.
 * - `unknown`: the room may have this object as a follower, perhaps with wrong members.
 * - `following`: the room delivers to this object.
 */
type State = "idle" | "unknown" | "following";

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
  /** Undefined until a call waits for its publication. */
  #reached: DeliveredPositions | undefined;
  #state: State = "idle";
  readonly #changes = new MemberChanges();
  /** Undefined after a wake without saved positions: the room then has the position. */
  #position: Position | undefined;
  /** The room was followed before the wake, and has not answered a `follow` since. */
  isOfBefore = false;
  /** There are members from before the wake: they must also get entries before the answer to `follow`. */
  #hasOldMembers = false;
  /** Number of batches answered `gone`: the room may have removed this object while a `follow` was under way. */
  #releases = 0;
  /** The call under way, or the last one. */
  #lastSync: Promise<void> = Promise.resolve();

  constructor(topic: Topic, members: ReadonlySet<Connection>, options: FollowedRoomOptions) {
    this.#options = options;
    this.topic = topic;
    this.name = formatTopic(topic);
    this.members = members;
  }

  /** Called after a wake, when members are restored: the room was followed before. `isSure`: it has these members. */
  restore(isSure: boolean): void {
    this.#state = isSure ? "following" : "unknown";
    this.#position = this.#options.table.position(this.name);
    this.#hasOldMembers = this.isOfBefore = true;
  }

  get position(): Position | undefined {
    return this.#position;
  }

  /** Undefined if a batch would be refused, or if only the room has this object's position. */
  get asFollower(): FollowerPosition | undefined {
    if (!this.#position || this.members.size === 0) return undefined;
    return { follower: this.#options.self, position: this.#position };
  }

  /** Whether a report to the room is missing. */
  get isStale(): boolean {
    return this.members.size === 0 || !this.#changes.isEmpty || this.#state !== "following";
  }

  /** Notes, after a wake, that a connection of this user was lost. */
  memberLost(userId: string): void {
    this.#changes.lost(userId);
  }

  /** Notes that the connection has joined, was lost, or has left on purpose. */
  memberChanged(connection: Connection, how: "joined" | Departure = "joined"): void {
    this.#changes.note(connection, how);
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
    while (this.members.size > 0 && (!this.#changes.isEmpty || this.#state !== "following"))
      // oxlint-disable-next-line no-await-in-loop -- changes meanwhile go with the next call
      await this.#follow();
    return this.members.size === 0 && this.#unfollow();
  }

  async #follow(): Promise<void> {
    const isNew = this.#state !== "following";
    if (isNew) this.#options.table.add(this.name);
    if (isNew) this.#state = "unknown";
    const changes = this.#changes.take();
    if (!isNew && !this.#options.reportsMembers) return;
    try {
      await this.#report(changes, isNew);
    } catch (error) {
      this.#changes.putBack(changes);
      throw error;
    }
  }

  async #report(changes: TakenChanges, isNew: boolean): Promise<void> {
    const { reportsMembers, room, self } = this.#options;
    const counts = reportsMembers ? memberCounts(this.members, changes, isNew) : [];
    const anew = isNew ? { position: this.#position } : undefined;
    const releases = this.#releases;
    const position = await retryOnce(() => room().follow(self, counts, anew));
    // The room may have removed this object after it had received the call.
    if (releases !== this.#releases) return;
    if (isNew && !this.#position && !this.#hasOldMembers) this.#begin(position);
    this.#state = "following";
    this.isOfBefore = false;
  }

  /** Begins at the position that `follow` returned: live batches come after it. */
  #begin(position: Position): void {
    this.savePosition(position);
    this.reach(position);
  }

  async #unfollow(): Promise<boolean> {
    const { table, room, self } = this.#options;
    this.#forgetPosition();
    const left = this.#changes.takeLeaves();
    try {
      if (this.#state !== "idle") await room().unfollow(self, [...left], ...this.#changes.traces);
    } catch (error) {
      this.#changes.putBack({ users: new Map(), left });
      // The room may have received the call.
      this.#state = "unknown";
      throw error;
    }
    this.#state = "idle";
    if (this.members.size > 0) return this.#syncUntilCurrent();
    table.remove(this.name);
    return true;
  }

  /** Called when no connection of this object is in the room, so that later messages are for none here. */
  #forgetPosition(): void {
    this.#position = undefined;
    this.#hasOldMembers = false;
    this.#options.table.forgetPosition(this.name);
  }

  /** Called when a delivery is answered `gone`: the room removes this object from its followers. */
  release(): void {
    this.doubt();
    this.#forgetPosition();
  }

  /** Called when the room may have removed this object, perhaps while a `follow` is under way. */
  doubt(): void {
    this.#releases++;
    if (this.#state === "following") this.#state = "unknown";
  }

  /** The entries of a batch that were not delivered before; undefined if entries are missing before it. */
  freshIn({ epoch, after, entries, reset, from = Infinity }: Delivery): FreshEntries | undefined {
    const at = this.#position?.epoch === epoch ? this.#position.offset : undefined;
    // A reset after entries that were delivered here is not needed: a crash of the room lost this object's offset.
    if (at !== undefined && (reset ? at > from : after > at)) return undefined;
    const offset = Math.max(at ?? 0, entries.at(-1)?.offset ?? after);
    const fresh = at === undefined ? entries : entries.filter((entry) => entry.offset > at);
    return { entries: fresh, position: { epoch, offset } };
  }

  /**
   * Members that need a reset. A member whose replay already reaches as far, or has not come yet, does not: the state
   * of the reset would be older than its copy, and entries of its replay would not be sent again.
   */
  membersToReset({ epoch, state }: Delivery): Iterable<Connection> {
    if (!state || this.replays.until.size === 0) return this.members;
    const have = this.replays.have(epoch, state.position.offset);
    return [...this.members].filter((member) => !have.has(member));
  }

  /** Saves the position in the storage only: `reach` follows once the batch is written. */
  savePosition(position: Position): void {
    const { table } = this.#options;
    if (table.keepsPositions) table.savePosition(this.name, position);
  }

  /** Called when all entries up to this position were delivered. */
  reach(position: Position): void {
    this.#position = position;
    this.#reached?.reach(position);
  }

  /** Resolves when all entries up to this position were delivered, or the room is slow to deliver them. */
  async whenReached(position: Position): Promise<void> {
    if (this.#position && isReached(position, this.#position)) return;
    await (this.#reached ??= new DeliveredPositions()).wait(position);
  }

  /** The position of this object, or of a member that is replaying. */
  positionOf(connection?: Connection): Position | undefined {
    const here = this.#position ?? this.#options.table.position(this.name);
    return connection ? this.replays.positionOf(connection, here) : here;
  }
}
