// The logs that cost less than one row for each flush (open-log.ts): without entries, and written behind.

import type { KeyValues } from "../../model/stored-values.ts";
import { logError } from "../../model/logger.ts";
import { randomEpoch, type Position } from "../../model/topic.ts";
import type { Timer } from "../platform/loop-timing.ts";
import type { Entry, HistoryQuery, HistoryView } from "../rpc/log-entry.ts";
import type { BesideLog, RoomLog } from "./room-log.ts";

const BEHIND_MS = 1_000;

/** Counts offsets in memory and keeps no entries. Each wake begins a new epoch. */
export class NoLog implements RoomLog {
  #position: Position;

  constructor(position: Position = { epoch: randomEpoch(), offset: 0 }) {
    this.#position = position;
  }

  get position(): Position {
    return this.#position;
  }

  append(entries: readonly Entry[]): void {
    const offset = entries.at(-1)?.offset ?? this.#position.offset;
    this.#position = { ...this.#position, offset };
  }

  find(): undefined {
    return undefined;
  }

  since({ epoch, offset }: Position): HistoryView {
    const recovered = epoch === this.#position.epoch && offset === this.#position.offset;
    return { entries: [], position: this.#position, recovered };
  }

  page({ since }: HistoryQuery): HistoryView {
    return since ? this.since(since) : { entries: [], position: this.#position, recovered: true };
  }

  after(offset: number): Entry[] | undefined {
    return offset === this.position.offset ? [] : undefined;
  }

  kept(): Entry[] {
    return [];
  }

  readonly expiresAt = undefined;
  readonly isEmpty = true;

  expire(): void {
    // No entries are kept.
  }

  clear(): void {
    // As above.
  }

  erase(epoch: string): void {
    this.#position = { epoch, offset: 0 };
  }
}

/** Keeps no entries, but stores epoch and offset with the room's state, which continues from them after a sleep. */
export class OffsetLog extends NoLog {
  readonly #beside: BesideLog;

  constructor(epoch: string, beside: BesideLog) {
    super({ epoch, offset: beside.offset ?? 0 });
    this.#beside = beside;
  }

  override append(entries: readonly Entry[]): void {
    if (entries.length > 0) this.#beside.commit(entries, () => {});
    super.append(entries);
  }
}

interface BehindOptions {
  readonly timer?: Timer;
  /** Called when all entries are saved. */
  readonly written?: (() => void) | undefined;
}

/**
 * Writes once a second, and before each read. A pending timer keeps the object awake until all is saved. Until then a
 * mark in the storage makes the next wake begin a new epoch (`openLog`).
 */
export class LogBehind implements RoomLog {
  readonly #log: RoomLog;
  readonly #kv: KeyValues;
  readonly #timer: Timer;
  readonly #written: (() => void) | undefined;
  #unsavedEntries: Entry[] = [];
  #unsavedIds = new Map<string, number>();
  #isTicking = false;
  /** Whether the storage has the mark. */
  #isMarked = false;
  /**
   * The last write failed: `append` writes first and throws if that fails again, so that unsaved entries stay few.
   */
  #hasFailed = false;

  constructor(log: RoomLog, kv: KeyValues, { timer = setTimeout, written }: BehindOptions = {}) {
    this.#log = log;
    this.#kv = kv;
    this.#timer = timer;
    this.#written = written;
  }

  get position(): Position {
    const { epoch, offset } = this.#log.position;
    return { epoch, offset: this.#unsavedEntries.at(-1)?.offset ?? offset };
  }

  /**
   * Adds entries. The mark is durable before a client gets the first unsaved entry (output gate). It costs one row
   * until it is removed.
   */
  append(entries: readonly Entry[], isAtOnce = false): void {
    if (isAtOnce) return void this.#saveAll(entries);
    if (this.#hasFailed) this.#saveAll();
    if (!this.#isMarked) this.#kv.put("unsaved", true);
    if (!this.#isTicking) this.#timer(() => this.#tick(), BEHIND_MS);
    [this.#isMarked, this.#isTicking] = [true, true];
    this.#unsavedEntries = this.#unsavedEntries.concat(entries);
    for (const { id, offset } of entries) if (id !== undefined) this.#unsavedIds.set(id, offset);
  }

  save(): void {
    this.#saveAll();
  }

  find(id: string, now: number): number | undefined {
    return this.#unsavedIds.get(id) ?? this.#log.find(id, now);
  }

  since(...query: Parameters<RoomLog["since"]>): HistoryView {
    return this.#saveAll().since(...query);
  }

  page(query: HistoryQuery, now: number, most: number): HistoryView {
    return this.#saveAll().page(query, now, most);
  }

  after(offset: number): Entry[] | undefined {
    return this.#saveAll().after(offset);
  }

  kept(offset: number): Entry[] {
    const unsaved = this.#unsavedEntries.filter((entry) => entry.offset > offset);
    return [...this.#log.kept(offset), ...unsaved];
  }

  get expiresAt(): number | undefined {
    return this.#log.expiresAt;
  }

  get isEmpty(): boolean {
    return this.#unsavedEntries.length === 0 && this.#log.isEmpty;
  }

  expire(now: number): void {
    this.#log.expire(now);
  }

  clear(now: number): void {
    this.#saveAll().clear(now);
  }

  erase(epoch: string): void {
    this.#saveAll().erase(epoch);
    // The storage may have been deleted.
    this.#isMarked = false;
  }

  /** Saves each second; the timer ends after a second without entries. */
  #tick(): void {
    try {
      if (this.#unsavedEntries.length === 0) return this.#stopTicking();
      this.#saveAll();
    } catch (error) {
      // The next tick tries again.
      logError("log_unwritten", { error });
    }
    this.#timer(() => this.#tick(), BEHIND_MS);
  }

  #stopTicking(): void {
    this.#kv.delete("unsaved");
    [this.#isMarked, this.#isTicking] = [false, false];
    this.#written?.();
  }

  /** Saves all unsaved entries and the newer ones, or none. */
  #saveAll(newer: readonly Entry[] = []): RoomLog {
    this.#hasFailed = true;
    this.#log.append([...this.#unsavedEntries, ...newer]);
    this.#hasFailed = false;
    this.#unsavedEntries = [];
    this.#unsavedIds.clear();
    return this.#log;
  }
}
