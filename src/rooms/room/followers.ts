// The room's side of the follow protocol: the objects that follow the room, the offset that each has confirmed, and the
// batches on their way. The other side is links/followed-room.ts. Promises of the room to a follower:
//
//   · All entries after the position at which it began, in order. A batch has the offset before it (`after`).
//   · At least once: a batch is repeated until it is answered. The follower drops entries by offset that it has.
//   · One batch under way for each follower; entries published meanwhile go with the next. A batch that fails is sent
//     again after growing pauses.
//   · If the log no longer has all entries that a follower missed, the batch has `reset`, and continues with the
//     entries that are left.
//   · If the log has begun a new epoch, its first batch has `reset`, unless no entry was lost (after a sleep).
//   · Followers and their members are rows (follower-rows.ts). Confirmed offsets are saved only as a checkpoint
//     (checkpoint.ts), so after a crash batches may be sent again.
//   · A follower that answers `gone` is removed, unless it has followed again since the batch was sent.

import { logError, logWarning } from "../../model/logger.ts";
import type { Position } from "../../model/topic.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import { RecentEntries } from "../delivery/outbox.ts";
import { settledWithin } from "../platform/loop-timing.ts";
import { BATCH, BATCH_CHARS, within } from "../log/log-rows.ts";
import type { Delivery, FollowerPosition, MemberCount } from "../rpc/room-rpc.ts";
import type { Entry } from "../rpc/log-entry.ts";
import {
  failed,
  FollowerLinks,
  type FollowersOptions,
  type Link,
  type FollowerProgress,
} from "./follower-links.ts";
import { Checkpoint } from "./checkpoint.ts";
import { BEFORE_LOG } from "./follower-rows.ts";

/** How long a checkpoint waits for answers to its batches. */
const CONFIRM_MS = 1_000;

export class Followers implements Duty {
  readonly #options: FollowersOptions;
  readonly #followers: FollowerLinks;
  /** By the follower's object name. */
  readonly links: ReadonlyMap<string, Link>;
  readonly #recent = new RecentEntries();
  readonly #checkpoint: Checkpoint;
  /** Number of followers that batches are being sent to. */
  #sending = 0;

  constructor(options: FollowersOptions) {
    this.#options = options;
    this.#followers = new FollowerLinks(options);
    this.links = this.#followers.all;
    this.#checkpoint = new Checkpoint(options, this.#followers.rows);
    if (this.#isAnyBehind) this.#checkpoint.begin();
  }

  get #newestOffset(): number {
    return this.#options.log.position.offset;
  }

  get #isAnyBehind(): boolean {
    return [...this.links.values()].some((link) => link.confirmedOffset < this.#newestOffset);
  }

  /** Connections of each user by follower, for presence after a wake. */
  members(): Iterable<[follower: string, userId: string, connections: number]> {
    return this.#followers.rows.members();
  }

  /** Completes a full report: adds a count of zero for each user that the follower reported before and not now. */
  complete(follower: string, members: readonly MemberCount[]): readonly MemberCount[] {
    return this.#followers.complete(follower, members);
  }

  /**
   * Adds the follower, or updates its members; counts are absolute. A new follower gets entries from now on, or after
   * `position`, which it passes if it followed before and the room has removed or forgotten it.
   */
  add(follower: string, members: readonly MemberCount[], position?: Position): void {
    const link = this.#followers.add(follower, members, position);
    if (!position || link.deliveredOffset >= this.#newestOffset) return;
    this.#checkpoint.schedule();
    void this.#start(follower, link);
  }

  /** May be repeated. */
  remove(follower: string): void {
    if (!this.#followers.remove(follower)) return;
    // Entries are not collected while there is no follower: these would have a gap behind them.
    if (this.links.size === 0) this.#recent.forget();
    this.#options.removed(follower);
  }

  /** Sends saved entries to every follower. Their offsets continue those of the call before. */
  publish(entries: readonly Entry[]): void {
    if (this.links.size === 0) return;
    this.#recent.add(entries);
    const checkpoint = this.#checkpoint;
    if (!checkpoint.isSoon) checkpoint.published(entries);
    else {
      checkpoint.unsettled += entries.length;
      checkpoint.publishedAt = entries.at(-1)!.at;
    }
    for (const [follower, link] of this.links) void this.#start(follower, link);
  }

  /** The log has begun a new epoch: each follower gets a reset before any other entry, after a crash as well. */
  restart(): void {
    this.#recent.forget();
    this.#followers.rows.restart();
    for (const [follower, link] of this.links) {
      link.deliveredOffset = link.confirmedOffset = BEFORE_LOG;
      void this.#start(follower, link);
    }
    if (this.links.size > 0) this.#checkpoint.schedule();
  }

  async #start(follower: string, link: Link): Promise<void> {
    if (link.isSending || link.retryAt !== undefined) return;
    const sent = this.#sendBatches(follower, link);
    this.#options.waitUntil(sent);
    await sent;
  }

  async #sendBatches(follower: string, link: Link): Promise<void> {
    link.isSending = true;
    this.#sending++;
    try {
      while (link.deliveredOffset < this.#newestOffset && this.links.get(follower) === link)
        await this.#deliver(follower, link);
      link.failures = 0;
    } catch (error) {
      this.#scheduleRetry(link, error);
    } finally {
      link.isSending = false;
      this.#sending--;
    }
    if (this.#isConfirmed) await this.#saveRare();
  }

  /** Whether all followers have confirmed a rare publication, which is not saved yet. */
  get #isConfirmed(): boolean {
    return this.#checkpoint.isPrompt && this.#sending === 0 && !this.#isAnyBehind;
  }

  /** The object's counts go into the same row, so they come first. */
  async #saveRare(): Promise<void> {
    try {
      await this.#options.settled();
      if (this.#isConfirmed) this.#save();
    } catch (error) {
      logError("background_failed", { room: this.#options.room, error });
    }
  }

  #save(): void {
    this.#recent.forget();
    this.#checkpoint.save(this.#options.log.position);
  }

  async #deliver(follower: string, link: Link): Promise<void> {
    const delivery = this.#batchFor(link);
    const { followCount } = link;
    const reply = await this.#options.stubs(follower).deliver(delivery);
    if (reply.kind !== "gone") this.#advance(link, delivery, reply);
    else if (link.followCount === followCount && this.links.get(follower) === link)
      this.remove(follower);
  }

  /** An answer to a batch of an older epoch is ignored. */
  #advance(link: Link, { epoch, after, entries }: Delivery, reply: FollowerProgress): void {
    if (epoch !== this.#options.log.position.epoch) return;
    const offset = reply.kind === "behind" ? reply.offset : (entries.at(-1)?.offset ?? after);
    link.deliveredOffset = link.confirmedOffset = Math.min(offset, this.#newestOffset);
  }

  /**
   * Runs `publish` for a follower, with its position in the log. If no batch is under way, the answer has the entries
   * that it lacks, instead of a batch. Its next position or reply confirms them; else the checkpoint repeats them. A
   * rare publication goes in a batch, whose reply confirms it at once: that costs a call, and saves an alarm.
   */
  async answer<T>(
    { follower, position }: FollowerPosition,
    publish: () => Promise<T>,
  ): Promise<[outcome: T, delivery?: Delivery]> {
    const link = this.links.get(follower);
    const isAtRest = link && !link.isSending && link.retryAt === undefined;
    const isRare = !this.#checkpoint.isSoon && this.#checkpoint.isRare;
    if (!isAtRest || isRare || !this.#hasHad(position)) return [await publish()];
    link.confirmedOffset = Math.max(link.confirmedOffset, position.offset);
    link.deliveredOffset = link.confirmedOffset;
    link.isSending = true;
    try {
      const outcome = await publish();
      if (this.links.get(follower) !== link || link.deliveredOffset >= this.#newestOffset)
        return [outcome];
      const delivery = this.#batchFor(link);
      link.deliveredOffset = delivery.entries.at(-1)?.offset ?? delivery.after;
      if (!this.#checkpoint.isSoon) this.#checkpoint.schedule();
      return [outcome, delivery];
    } finally {
      link.isSending = false;
      if (link.deliveredOffset < this.#newestOffset) void this.#start(follower, link);
    }
  }

  #hasHad({ epoch, offset }: Position): boolean {
    return epoch === this.#options.log.position.epoch && offset <= this.#newestOffset;
  }

  #batchFor({ deliveredOffset }: Link): Delivery {
    const { room, log } = this.#options;
    const missing = this.#recent.after(deliveredOffset) ?? log.after(deliveredOffset);
    const some = (missing ?? this.#recent.all).slice(0, BATCH);
    const entries = some.length > 1 ? within(some, BATCH_CHARS) : some;
    const about = { room, epoch: log.position.epoch, entries };
    if (missing) return { ...about, after: deliveredOffset, reset: false };
    const after = (entries[0]?.offset ?? this.#newestOffset + 1) - 1;
    return { ...about, ...this.#options.snapshot?.(), after, reset: true, from: deliveredOffset };
  }

  #scheduleRetry(link: Link, error: unknown): void {
    link.retryAt = this.#options.now() + failed(link);
    this.#options.arm(link.retryAt);
    this.#followers.rows.cancelSettled();
    logWarning("follower_unreached", { room: this.#options.room, error });
  }

  due(): number | undefined {
    const retries = [...this.links.values()].map(({ retryAt = Infinity }) => retryAt);
    const first = Math.min(this.#checkpoint.at ?? Infinity, ...retries);
    return first === Infinity ? undefined : first;
  }

  /**
   * Sends failed batches again. Saves the checkpoint once all followers have all entries: a wake need not send them.
   */
  async run(now: number): Promise<void> {
    const isCheckpoint = this.#checkpoint.isDue(now);
    const sent: Promise<void>[] = [];
    for (const [follower, link] of this.links) {
      if (link.retryAt !== undefined && link.retryAt <= now) link.retryAt = undefined;
      if (isCheckpoint && !link.isSending) link.deliveredOffset = link.confirmedOffset;
      if (link.deliveredOffset < this.#newestOffset) sent.push(this.#start(follower, link));
    }
    if (!isCheckpoint) return;
    if (sent.length > 0) await settledWithin(CONFIRM_MS, sent);
    if (this.#isAnyBehind) this.#checkpoint.again();
    else this.#save();
  }
}
