// The commits of a room with state: the log's row, schedules and messages to other rooms, and if due a checkpoint with
// the state and answers of runs; all or none of them.

import { logWarning } from "../../model/logger.ts";
import type { History } from "../../model/options.ts";
import { STATE_TARGET } from "../../model/state-wire.ts";
import type { PartStorage } from "../../model/stored-values.ts";
import type { BesideLog, RoomLog } from "../log/room-log.ts";
import type { Entry, StateEntry } from "../rpc/log-entry.ts";
import type { OutgoingMessages } from "./outgoing-messages.ts";
import type { RunMemory } from "./run-memory.ts";
import type { ScheduleRows } from "./schedule-rows.ts";
import { hasChange } from "./state-changes.ts";
import type { StateRows } from "./state-rows.ts";
import type { StateStore } from "./state-store.ts";
import { foldChanges } from "./unopened-state.ts";

interface StateCommitOptions {
  readonly storage: PartStorage;
  readonly history: History;
  readonly store: StateStore;
  readonly rows: StateRows;
  readonly runs: RunMemory;
  readonly schedule: ScheduleRows;
  readonly outgoing: OutgoingMessages;
  /** The present version of the hub's state. */
  readonly version: number;
  log(): RoomLog;
  now(): number;
}

export class StateCommit implements BesideLog {
  readonly #options: StateCommitOptions;
  #hasOpened = false;

  constructor(options: StateCommitOptions) {
    this.#options = options;
  }

  get offset(): number | undefined {
    return this.#options.rows.offset;
  }

  /** Reads the state before the first write of a wake, because that may overwrite rows of the log with changes. */
  open(): void {
    if (this.#hasOpened) return;
    this.#hasOpened = true;
    try {
      this.#options.store.open();
    } catch (error) {
      logWarning("state_unread", { error });
    }
  }

  commit(entries: readonly Entry[], write: () => void): void {
    const { outgoing, rows, runs, schedule, storage, store, now } = this.#options;
    this.#count(entries);
    const isDue = store.isOpen && (runs.isDue || rows.isDue(store.bytes, now()));
    if (!isDue && !schedule.isChanged && !outgoing.isChanged) return write();
    storage.transactionSync(() => {
      write();
      if (schedule.isChanged) schedule.write();
      if (outgoing.isChanged) outgoing.write();
      if (isDue) this.#write(entries.at(-1)!.offset);
    });
    schedule.written();
    outgoing.written();
    if (isDue) this.#written();
  }

  #count(entries: readonly Entry[]): void {
    const { rows, runs } = this.#options;
    for (const entry of entries) {
      if (entry.target !== STATE_TARGET) continue;
      const { runs: kept = [] } = entry as StateEntry;
      // Answers without a change count as well, because the log loses them like changes.
      if (hasChange(entry) || kept.length > 0) rows.count(entry);
      runs.logged(kept);
    }
    rows.countRow();
  }

  #write(offset: number): void {
    const { rows, runs, store, version, now } = this.#options;
    const { elsewhere, sealed } = store;
    const saved = elsewhere.savedWith(offset, sealed);
    rows.write({ version, offset, saved, json: JSON.stringify(sealed) });
    runs.write(now());
  }

  #written(): void {
    this.#options.rows.written();
    this.#options.runs.written();
  }

  /**
   * Writes changes that only the log has, before the log loses them. The log is written first, so that the checkpoint
   * is never ahead of it: offsets that a crash takes back are used again for other changes. A state that is not open is
   * not opened for this, because this deploy may not accept it.
   */
  checkpoint(): void {
    const { history, log, now, rows, storage, store } = this.#options;
    log().save?.();
    if (!store.isOpen)
      return storage.transactionSync(() =>
        foldChanges({ storage, history, log: log(), endsLog: false, now: now() }),
      );
    if (!rows.isBehind) return;
    storage.transactionSync(() => this.#write(log().position.offset));
    this.#written();
  }
}
