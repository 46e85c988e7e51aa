// The room's side of the follow protocol: the objects that follow the room, the offset that each has confirmed, and the
// batches on their way. The other side is links/followed-room.ts. What the room promises a follower:
//
//   · Every entry after the position at which it began, in order. A batch follows on the one before by its `after`.
//   · At least once: a batch is repeated until it is answered. The follower drops what it has by offset.
//   · One batch under way for each follower; entries published meanwhile go with the next. A batch that fails is sent
//     again after growing pauses.
//   · Where the log no longer has all that a follower missed, the batch says so (`reset`) and goes on from what there
//     is.
//   · Where the log has begun a new epoch, a reset is the first batch of it, unless it lost nothing (by sleep).
//   · Followers and their members are rows (follower-rows.ts). Confirmed offsets are saved only as a checkpoint, so
//     after a crash batches may be sent again, and the checkpoint's alarm sends what a crash cut off.
//   · A follower that answers `gone` is removed, unless it has followed again since the batch was sent.

import type { PartStorage } from "../../model/stored-values.ts";
import { logWarning } from "../../model/logger.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import { within } from "../log/log-rows.ts";
import type { RoomLog } from "../log/room-log.ts";
import type { Delivery, DeliveryReply, MemberCount } from "../rpc/room-rpc.ts";
import type { RoomStubs } from "../rpc/object-names.ts";
import type { Entry } from "../rpc/log-entry.ts";
import { BEFORE_LOG, FollowerRows } from "./follower-rows.ts";

interface Link {
  /** Offset of the newest entry that the follower has confirmed; `BEFORE_LOG` where it is to be reset. */
  deliveredOffset: number;
  /** A batch is under way. */
  isSending: boolean;
  /** Failures since the last success. */
  failures: number;
  /** When a failed batch is sent again, milliseconds since 1970. */
  retryAt: number | undefined;
  /** Calls of `follow` in this wake: a `gone` to a batch from before the newest call is out of date. */
  followCount: number;
}

type Progress = Exclude<DeliveryReply, { kind: "gone" }>;

interface FollowersOptions {
  /** The topic of the room, as text. */
  readonly room: string;
  readonly storage: Pick<PartStorage, "sql" | "kv">;
  readonly log: RoomLog;
  /** The log began a new epoch at this wake, and has lost entries. */
  readonly hasLostEntries: boolean;
  /** The log keeps no entries: what a crash cuts off on its way to followers cannot be repaired. */
  readonly isInMemory: boolean;
  readonly stubs: RoomStubs;
  now(): number;
  /** Requests a call of `run` at this time or earlier. */
  arm(at: number): void;
  waitUntil(work: Promise<unknown>): void;
  /** Called after a follower was removed: it has no connection in the room any more. */
  removed(follower: string): void;
}

/** Entries kept in memory until all followers have them; older ones are read from the log. */
const RECENT_ENTRIES = 1_000;
/** Entries of a batch. */
const BATCH = 500;
/** Characters of a batch: an RPC takes 32 MiB, and a character may have two bytes. */
const BATCH_CHARS = 4 * 1024 * 1024;
/** Delay from a publication to the check whether all followers have it, which resumes what a crash cut off. */
const CHECKPOINT_MS = 5_000;
/** Pauses after the first failure, the second, and so on; the last one is repeated. */
const RETRY_MS = [1_000, 2_000, 5_000, 15_000, 60_000] as const;

export class Followers implements Duty {
  readonly #options: FollowersOptions;
  readonly #rows: FollowerRows;
  readonly #links: Map<string, Link>;
  /** By the follower's object name. */
  readonly links: ReadonlyMap<string, unknown>;
  #recentEntries: Entry[] = [];
  #checkpointAt: number | undefined;

  constructor(options: FollowersOptions) {
    this.#options = options;
    const rows = (this.#rows = new FollowerRows(options.storage));
    if (options.hasLostEntries || (options.isInMemory && rows.isUnsettled)) rows.restart();
    this.#links = new Map(
      [...rows.offsets()].map(([follower, offset]) => [
        follower,
        linkAt(Math.min(offset, this.#newestOffset)),
      ]),
    );
    if (this.#isAnyBehind) this.#scheduleCheckpoint(0);
    this.links = this.#links;
  }

  get #newestOffset(): number {
    return this.#options.log.position.offset;
  }

  get #isAnyBehind(): boolean {
    return [...this.#links.values()].some((link) => link.deliveredOffset < this.#newestOffset);
  }

  /** Connections of each user by follower, for presence after a wake. */
  members(): Iterable<[follower: string, userId: string, connections: number]> {
    return this.#rows.members();
  }

  /** The follower follows, or repeats that it does; counts are absolute. Entries from here on are delivered to it. */
  add(follower: string, members: readonly MemberCount[]): void {
    if (!this.#links.has(follower)) {
      this.#rows.add(follower, this.#newestOffset);
      this.#links.set(follower, linkAt(this.#newestOffset));
    }
    this.#links.get(follower)!.followCount++;
    this.#rows.setMembers(follower, members);
  }

  /** May be repeated. */
  remove(follower: string): void {
    if (!this.#links.delete(follower)) return;
    this.#rows.remove(follower);
    this.#options.removed(follower);
  }

  /** Sends saved entries to every follower. They must follow on the entries before. */
  publish(entries: readonly Entry[]): void {
    if (this.#links.size === 0) return;
    this.#recentEntries.push(...entries);
    if (this.#recentEntries.length > RECENT_ENTRIES)
      this.#recentEntries = this.#recentEntries.slice(-RECENT_ENTRIES);
    // Before the first of them leaves: if the object crashes from here on, its followers are reset.
    if (this.#options.isInMemory && this.#checkpointAt === undefined) this.#rows.settle(BEFORE_LOG);
    this.#scheduleCheckpoint();
    for (const [follower, link] of this.#links) this.#start(follower, link);
  }

  /** The log has begun a new epoch: each follower gets a reset before any other entry, after a crash as well. */
  restart(): void {
    this.#recentEntries = [];
    this.#rows.restart();
    for (const [follower, link] of this.#links) {
      link.deliveredOffset = BEFORE_LOG;
      this.#start(follower, link);
    }
    if (this.#links.size > 0) this.#scheduleCheckpoint();
  }

  #scheduleCheckpoint(delayMs = CHECKPOINT_MS): void {
    if (this.#checkpointAt !== undefined) return;
    this.#checkpointAt = this.#options.now() + delayMs;
    this.#options.arm(this.#checkpointAt);
  }

  #start(follower: string, link: Link): void {
    if (!link.isSending && link.retryAt === undefined)
      this.#options.waitUntil(this.#sendBatches(follower, link));
  }

  async #sendBatches(follower: string, link: Link): Promise<void> {
    link.isSending = true;
    try {
      while (link.deliveredOffset < this.#newestOffset && this.#links.get(follower) === link)
        await this.#deliver(follower, link);
      link.failures = 0;
    } catch (error) {
      this.#scheduleRetry(link, error);
    } finally {
      link.isSending = false;
    }
  }

  async #deliver(follower: string, link: Link): Promise<void> {
    const delivery = this.#batchFor(link);
    const { followCount } = link;
    const reply = await this.#options.stubs(follower).deliver(delivery);
    if (reply.kind !== "gone") this.#advance(link, delivery, reply);
    else if (link.followCount === followCount && this.#links.get(follower) === link)
      this.remove(follower);
  }

  /** An answer to a batch of an older epoch is ignored. */
  #advance(link: Link, { epoch, after, entries }: Delivery, reply: Progress): void {
    if (epoch !== this.#options.log.position.epoch) return;
    const offset = reply.kind === "behind" ? reply.offset : (entries.at(-1)?.offset ?? after);
    link.deliveredOffset = Math.min(offset, this.#newestOffset);
  }

  #batchFor({ deliveredOffset }: Link): Delivery {
    const { room, log } = this.#options;
    const { epoch } = log.position;
    const missing = this.#recentAfter(deliveredOffset) ?? log.after(deliveredOffset);
    const entries = within((missing ?? this.#recentEntries).slice(0, BATCH), BATCH_CHARS);
    if (missing) return { room, epoch, after: deliveredOffset, entries, reset: false };
    return {
      room,
      epoch,
      after: (entries[0]?.offset ?? this.#newestOffset + 1) - 1,
      entries,
      reset: true,
      from: deliveredOffset,
    };
  }

  /** Undefined where memory does not reach back so far. */
  #recentAfter(startOffset: number): readonly Entry[] | undefined {
    const first = this.#recentEntries[0]?.offset ?? Infinity;
    return first <= startOffset + 1
      ? this.#recentEntries.filter(({ offset }) => offset > startOffset)
      : undefined;
  }

  #scheduleRetry(link: Link, error: unknown): void {
    const delay = RETRY_MS[Math.min(link.failures++, RETRY_MS.length - 1)]!;
    link.retryAt = this.#options.now() + delay;
    this.#options.arm(link.retryAt);
    logWarning("follower_unreached", { room: this.#options.room, error });
  }

  due(): number | undefined {
    const retries = [...this.#links.values()].flatMap(({ retryAt }) => retryAt ?? []);
    const times = this.#checkpointAt === undefined ? retries : [this.#checkpointAt, ...retries];
    return times.length > 0 ? Math.min(...times) : undefined;
  }

  /**
   * Sends failed batches again. Saves the checkpoint once all followers have all, so that a wake need not send again.
   */
  run(now: number): void {
    for (const [follower, link] of this.#links) {
      if (link.retryAt !== undefined && link.retryAt <= now) link.retryAt = undefined;
      if (link.deliveredOffset < this.#newestOffset) this.#start(follower, link);
    }
    if (this.#checkpointAt === undefined || this.#checkpointAt > now) return;
    this.#checkpointAt = undefined;
    if (this.#isAnyBehind) return this.#scheduleCheckpoint();
    this.#recentEntries = [];
    this.#rows.settle(this.#newestOffset);
  }
}

const linkAt = (deliveredOffset: number): Link => ({
  deliveredOffset,
  isSending: false,
  failures: 0,
  retryAt: undefined,
  followCount: 0,
});
