// The room's side of a follow link: who follows, how far each has come, and the batches on their way. One batch is
// in flight for each follower; what is said meanwhile joins the next; what was missed is repaired from the log.

import { logWarning } from "../../model/logger.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import { within } from "../log/log-rows.ts";
import type { RoomLog } from "../log/sqlite-log.ts";
import type { Delivery, DeliveryReply, MemberCount } from "../rpc/room-rpc.ts";
import type { RoomStubs } from "../rpc/stubs.ts";
import type { Entry } from "../rpc/log-entry.ts";

interface Link {
  /** The number of the last entry the follower took. */
  acked: number;
  busy: boolean;
  failures: number;
  retryAt: number | undefined;
  /** How often the follower has said that it follows: a "gone" from before the last time is out of date. */
  told: number;
}

/** Before the first number: of one that does not know yet that the log began anew. */
const UNTOLD = -1;

type Answered = Exclude<DeliveryReply, { kind: "gone" }>;

export interface FollowersOptions {
  readonly room: string;
  readonly storage: Pick<DurableObjectStorage, "sql" | "kv">;
  readonly log: RoomLog;
  readonly stubs: RoomStubs;
  now(): number;
  arm(at: number): void;
  waitUntil(work: Promise<unknown>): void;
  /** The follower took itself off, or is gone with all its connections. */
  gone(follower: string): void;
}

/** Entries kept in memory for followers on their way; older ones come from the log. */
const RECENT = 1_000;
const BATCH = 500;
/** An RPC takes 32 MiB, and a character may have two bytes. */
const BATCH_CHARS = 4 * 1024 * 1024;
/** How soon after something was said the room looks whether all followers have it: repairs what a crash cut off. */
const SETTLE_MS = 5_000;
const RETRY_MS = [1_000, 2_000, 5_000, 15_000, 60_000] as const;

export class Followers implements Duty {
  readonly #options: FollowersOptions;
  readonly #links: Map<string, Link>;
  /** By the follower's object name. */
  readonly links: ReadonlyMap<string, unknown>;
  #recent: Entry[] = [];
  #settleAt: number | undefined;

  constructor(options: FollowersOptions) {
    this.#options = options;
    const { sql, kv } = options.storage;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS followers (follower TEXT, user TEXT, connections INTEGER, PRIMARY KEY (follower, user)) WITHOUT ROWID",
    );
    const settled = kv.get<number>("settled") ?? 0;
    const rows = sql.exec("SELECT follower, connections AS start FROM followers WHERE user = ''");
    this.#links = new Map(
      rows.toArray().map((row) => {
        const acked = Math.max(settled, row["start"] as number);
        return [row["follower"] as string, linkAt(Math.min(acked, this.#top))];
      }),
    );
    if ([...this.#links.values()].some((link) => link.acked < this.#top)) this.#settleLater();
    this.links = this.#links;
  }

  get #top(): number {
    return this.#options.log.position.offset;
  }

  /** The users that followers brought, for presence after a wake. */
  *members(): Iterable<[follower: string, userId: string, connections: number]> {
    const rows = this.#options.storage.sql.exec("SELECT * FROM followers WHERE user <> ''");
    for (const row of rows)
      yield [row["follower"] as string, row["user"] as string, row["connections"] as number];
  }

  add(follower: string, members: readonly MemberCount[]): void {
    const { sql } = this.#options.storage;
    if (!this.#links.has(follower)) {
      // The row without a user keeps where the follower began.
      sql.exec("INSERT OR REPLACE INTO followers VALUES (?, '', ?)", follower, this.#top);
      this.#links.set(follower, linkAt(this.#top));
    }
    this.#links.get(follower)!.told++;
    for (const [user, connections] of members)
      if (connections > 0)
        sql.exec("INSERT OR REPLACE INTO followers VALUES (?, ?, ?)", follower, user, connections);
      else sql.exec("DELETE FROM followers WHERE follower = ? AND user = ?", follower, user);
  }

  remove(follower: string): void {
    if (!this.#links.delete(follower)) return;
    this.#options.storage.sql.exec("DELETE FROM followers WHERE follower = ?", follower);
    this.#options.gone(follower);
  }

  /** Sends saved entries, which follow on those before, to every follower. */
  publish(entries: readonly Entry[]): void {
    if (this.#links.size === 0) return;
    this.#recent.push(...entries);
    if (this.#recent.length > RECENT) this.#recent = this.#recent.slice(-RECENT);
    this.#settleLater();
    for (const [follower, link] of this.#links) this.#start(follower, link);
  }

  /** The log begins anew: whoever follows it is told so, before anything else. */
  restart(): void {
    const { kv, sql } = this.#options.storage;
    this.#recent = [];
    // After a crash as well: where they began was a place in the old log.
    kv.put("settled", UNTOLD);
    sql.exec("UPDATE followers SET connections = ? WHERE user = ''", UNTOLD);
    for (const [follower, link] of this.#links) {
      link.acked = UNTOLD;
      this.#start(follower, link);
    }
    if (this.#links.size > 0) this.#settleLater();
  }

  #settleLater(): void {
    if (this.#settleAt !== undefined) return;
    this.#settleAt = this.#options.now() + SETTLE_MS;
    this.#options.arm(this.#settleAt);
  }

  #start(follower: string, link: Link): void {
    if (!link.busy && link.retryAt === undefined)
      this.#options.waitUntil(this.#pump(follower, link));
  }

  async #pump(follower: string, link: Link): Promise<void> {
    link.busy = true;
    try {
      while (link.acked < this.#top && this.#links.get(follower) === link)
        await this.#deliver(follower, link);
      link.failures = 0;
    } catch (error) {
      this.#failed(link, error);
    } finally {
      link.busy = false;
    }
  }

  async #deliver(follower: string, link: Link): Promise<void> {
    const delivery = this.#batchFor(link);
    const { told } = link;
    const reply = await this.#options.stubs(follower).deliver(delivery);
    if (reply.kind !== "gone") this.#reached(link, delivery, reply);
    else if (link.told === told && this.#links.get(follower) === link) this.remove(follower);
  }

  /** What is answered of a log that began anew meanwhile says nothing of the new one. */
  #reached(link: Link, { epoch, after, entries }: Delivery, reply: Answered): void {
    if (epoch !== this.#options.log.position.epoch) return;
    const offset = reply.kind === "behind" ? reply.offset : (entries.at(-1)?.offset ?? after);
    link.acked = Math.min(offset, this.#top);
  }

  #batchFor({ acked }: Link): Delivery {
    const { room, log } = this.#options;
    const { epoch } = log.position;
    const missing = this.#recentAfter(acked) ?? log.after(acked);
    const entries = within((missing ?? this.#recent).slice(0, BATCH), BATCH_CHARS);
    if (missing) return { room, epoch, after: acked, entries, reset: false };
    return {
      room,
      epoch,
      after: (entries[0]?.offset ?? this.#top + 1) - 1,
      entries,
      reset: true,
      from: acked,
    };
  }

  /** Undefined where memory does not reach back so far. */
  #recentAfter(acked: number): readonly Entry[] | undefined {
    const first = this.#recent[0]?.offset ?? Infinity;
    return first <= acked + 1 ? this.#recent.filter(({ offset }) => offset > acked) : undefined;
  }

  #failed(link: Link, error: unknown): void {
    const delay = RETRY_MS[Math.min(link.failures++, RETRY_MS.length - 1)]!;
    link.retryAt = this.#options.now() + delay;
    this.#options.arm(link.retryAt);
    // Its batch is sent again.
    logWarning("follower_unreached", { room: this.#options.room, error });
  }

  due(): number | undefined {
    const retries = [...this.#links.values()].flatMap(({ retryAt }) => retryAt ?? []);
    const times = this.#settleAt === undefined ? retries : [this.#settleAt, ...retries];
    return times.length > 0 ? Math.min(...times) : undefined;
  }

  /** Sends again what failed; where all have all, remembers that, so that a wake need not ask. */
  run(now: number): void {
    for (const [follower, link] of this.#links) {
      if (link.retryAt !== undefined && link.retryAt <= now) link.retryAt = undefined;
      if (link.acked < this.#top) this.#start(follower, link);
    }
    if (this.#settleAt === undefined || this.#settleAt > now) return;
    this.#settleAt = undefined;
    if ([...this.#links.values()].some((link) => link.acked < this.#top))
      return this.#settleLater();
    this.#recent = [];
    this.#options.storage.kv.put("settled", this.#top);
  }
}

const linkAt = (acked: number): Link => ({
  acked,
  busy: false,
  failures: 0,
  retryAt: undefined,
  told: 0,
});
