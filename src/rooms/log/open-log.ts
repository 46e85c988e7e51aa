// The two cheaper logs, and which of the three a room has. Both say so in `$/connected`.

import { logError } from "../../model/logger.ts";
import type { RoomSettings } from "../../model/options.ts";
import { randomEpoch, type Position } from "../../model/position.ts";
import { SqliteLog, type RoomLog } from "./sqlite-log.ts";
import type { Timer } from "../platform/loop-timing.ts";
import type { Entry, HistoryQuery, HistoryView } from "../rpc/log-entry.ts";

const BEHIND_MS = 1_000;

/**
 * Opens the room's log. A log that was written behind and not brought to its end lost numbers that somebody may
 * have seen: it goes on under a new epoch, so that nobody resumes across the hole.
 */
export function openLog(storage: DurableObjectStorage, settings: RoomSettings): RoomLog {
  if (settings.durability === "none") return new NoLog();
  const { kv } = storage;
  let epoch = kv.get<string>("epoch");
  if (epoch === undefined || kv.get("unsaved")) kv.put("epoch", (epoch = randomEpoch()));
  if (kv.get("unsaved")) kv.delete("unsaved");
  const log = new SqliteLog(storage, settings.history, epoch);
  return settings.durability === "behind" ? new LogBehind(log, kv) : log;
}

/** Keeps the numbers, and nothing else: they end with the object's sleep, and a new epoch begins. */
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

  clear(): void {
    // There is nothing to forget.
  }

  erase(epoch: string): void {
    this.#position = { epoch, offset: 0 };
  }
}

/** Writes once a second; whoever reads has it written first. A pending timer keeps the object awake so long. */
export class LogBehind implements RoomLog {
  readonly #log: RoomLog;
  readonly #kv: SyncKvStorage;
  readonly #timer: Timer;
  #unsaved: Entry[] = [];
  #unsavedIds = new Map<string, number>();
  #busy = false;
  /** The last write failed: the next entry is refused, rather than kept where nobody saves it. */
  #failing = false;

  constructor(log: RoomLog, kv: SyncKvStorage, timer: Timer = setTimeout) {
    this.#log = log;
    this.#kv = kv;
    this.#timer = timer;
  }

  get position(): Position {
    const { epoch, offset } = this.#log.position;
    return { epoch, offset: this.#unsaved.at(-1)?.offset ?? offset };
  }

  /** The mark is saved before the first unsaved entry is seen (the output gate), then none for as long as it is busy. */
  append(entries: readonly Entry[]): void {
    if (this.#failing) this.#saved();
    if (!this.#busy) {
      this.#kv.put("unsaved", true);
      this.#busy = true;
      this.#timer(() => this.#tick(), BEHIND_MS);
    }
    this.#unsaved = this.#unsaved.concat(entries);
    for (const { id, offset } of entries) if (id !== undefined) this.#unsavedIds.set(id, offset);
  }

  find(id: string, now: number): number | undefined {
    return this.#unsavedIds.get(id) ?? this.#log.find(id, now);
  }

  since(since: Position, now: number, most: number): HistoryView {
    return this.#saved().since(since, now, most);
  }

  page(query: HistoryQuery, now: number, most: number): HistoryView {
    return this.#saved().page(query, now, most);
  }

  after(offset: number): Entry[] | undefined {
    return this.#saved().after(offset);
  }

  clear(now: number): void {
    this.#saved().clear(now);
  }

  erase(epoch: string): void {
    this.#saved().erase(epoch);
  }

  #tick(): void {
    try {
      if (this.#unsaved.length === 0) return this.#rest();
      this.#saved();
    } catch (error) {
      // It is tried again.
      logError("log_unwritten", { error });
    }
    this.#timer(() => this.#tick(), BEHIND_MS);
  }

  #rest(): void {
    this.#kv.delete("unsaved");
    this.#busy = false;
  }

  #saved(): RoomLog {
    this.#failing = true;
    this.#log.append(this.#unsaved);
    this.#failing = false;
    this.#unsaved = [];
    this.#unsavedIds.clear();
    return this.#log;
  }
}
