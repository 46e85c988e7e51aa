// Which log a room has, by its hub's `durability`, and the two logs that cost less than one row for each flush. Clients
// read the durability in `$/connected`.
//
//              an entry is saved     after sleep            after a crash or deploy
//   `logged`   before it is sent     same epoch             same epoch
//   `behind`   within a second       same epoch             a new epoch, if entries may be lost
//   `none`     never                 a new epoch            a new epoch

import type { KeyValues } from "../../model/stored-values.ts";
import { logError } from "../../model/logger.ts";
import type { RoomSettings } from "../../model/options.ts";
import { randomEpoch, type Position } from "../../model/topic.ts";
import type { RoomLog } from "./room-log.ts";
import { SqliteLog } from "./sqlite-log.ts";
import { storageCorrupt, type ObjectStorage } from "../platform/object-storage.ts";
import { hasTable } from "../platform/storage-version.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import type { Timer } from "../platform/loop-timing.ts";
import type { Entry, HistoryQuery, HistoryView } from "../rpc/log-entry.ts";

const BEHIND_MS = 1_000;

export interface OpenedLog {
  readonly log: RoomLog;
  /** The log has begun a new epoch, and has lost entries that clients may have seen: the room's followers are reset. */
  readonly hasLostEntries: boolean;
}

/** Of a storage that is empty still, the epoch is kept with the first write. */
type LogStorage = Pick<
  ObjectStorage,
  "sql" | "kv" | "transactionSync" | "isEmpty" | "atFirstWrite" | "name"
>;

/**
 * Opens the room's log. One that was written behind and ended with unsaved entries lost offsets that clients may have
 * seen: it goes on under a new epoch, so that no client resumes across the gap. So does one whose table is gone. `arm`
 * requests a run of `logExpiry`.
 */
export function openLog(
  storage: LogStorage,
  settings: RoomSettings,
  arm: (at: number) => void,
): OpenedLog {
  if (settings.durability === "none") return { log: new NoLog(), hasLostEntries: false };
  const { kv } = storage;
  let epoch = kv.get<string>("epoch");
  const isLost = epoch !== undefined && !hasTable(storage, "log");
  if (isLost) storageCorrupt(storage.name, new Error("There is no table `log`."));
  const isUnsaved = kv.get("unsaved") === true;
  const hasLostEntries = isLost || isUnsaved;
  const isNew = epoch === undefined || hasLostEntries;
  if (isNew) epoch = randomEpoch();
  if (isNew && !storage.isEmpty) kv.put("epoch", epoch);
  if (isUnsaved) kv.delete("unsaved");
  const saved = new SqliteLog(storage, { ...settings.history, arm, object: storage.name }, epoch!);
  storage.atFirstWrite(() => kv.put("epoch", saved.position.epoch));
  const log = settings.durability === "behind" ? new LogBehind(saved, kv) : saved;
  return { log, hasLostEntries };
}

/** After a failure it is tried again a minute later. */
const RETRY_MS = 60_000;

/** Erases entries past their age by alarm. */
export const logExpiry = (log: RoomLog): Duty => ({
  due: (now) => log.expiresAt && Math.max(log.expiresAt, now + RETRY_MS),
  run: (now) => log.expire(now),
});

/** Counts offsets in memory and keeps no entries. Each wake begins a new epoch. */
export class NoLog implements RoomLog {
  #position: Position = { epoch: randomEpoch(), offset: 0 };

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
    return offset === this.#position.offset ? [] : undefined;
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

/**
 * Writes once a second, and before each read. A pending timer keeps the object awake until all is saved. Until then the
 * storage has a mark that makes the next wake begin a new epoch (`openLog`).
 */
export class LogBehind implements RoomLog {
  readonly #log: RoomLog;
  readonly #kv: KeyValues;
  readonly #timer: Timer;
  #unsavedEntries: Entry[] = [];
  #unsavedIds = new Map<string, number>();
  #isTicking = false;
  /** The storage has the mark. */
  #isMarked = false;
  /**
   * The last write failed: `append` writes first and throws if it fails again, so that unsaved entries do not pile up.
   */
  #hasFailed = false;

  constructor(log: RoomLog, kv: KeyValues, timer: Timer = setTimeout) {
    this.#log = log;
    this.#kv = kv;
    this.#timer = timer;
  }

  get position(): Position {
    const { epoch, offset } = this.#log.position;
    return { epoch, offset: this.#unsavedEntries.at(-1)?.offset ?? offset };
  }

  /**
   * The mark is durable before a client sees the first unsaved entry (output gate). It costs a row once until it is
   * removed.
   */
  append(entries: readonly Entry[]): void {
    if (this.#hasFailed) this.#saveAll();
    if (!this.#isMarked) this.#kv.put("unsaved", true);
    if (!this.#isTicking) this.#timer(() => this.#tick(), BEHIND_MS);
    [this.#isMarked, this.#isTicking] = [true, true];
    this.#unsavedEntries = this.#unsavedEntries.concat(entries);
    for (const { id, offset } of entries) if (id !== undefined) this.#unsavedIds.set(id, offset);
  }

  find(id: string, now: number): number | undefined {
    return this.#unsavedIds.get(id) ?? this.#log.find(id, now);
  }

  since(since: Position, now: number, most: number): HistoryView {
    return this.#saveAll().since(since, now, most);
  }

  page(query: HistoryQuery, now: number, most: number): HistoryView {
    return this.#saveAll().page(query, now, most);
  }

  after(offset: number): Entry[] | undefined {
    return this.#saveAll().after(offset);
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

  /** Saves each second; after one without entries the timer ends. */
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
  }

  #saveAll(): RoomLog {
    this.#hasFailed = true;
    this.#log.append(this.#unsavedEntries);
    this.#hasFailed = false;
    this.#unsavedEntries = [];
    this.#unsavedIds.clear();
    return this.#log;
  }
}
