// The state in memory: after the last action (`current`), after the last flush (`flushed`), and the view of clients. A
// flush with actions has one entry in the log, which the first action reserves and `seal` fills.

import { isSame, patchBetween } from "../../model/merge-patch.ts";
import { freezeDeep } from "../../model/plain-json.ts";
import type { RoomLog } from "../log/room-log.ts";
import type { PartStorage } from "../../model/stored-values.ts";
import { STATE_TARGET } from "../../model/state-wire.ts";
import type { StateEntry } from "../rpc/log-entry.ts";
import type { Snapshot, StateSpec } from "../rpc/state-rpc.ts";
import { ExternalMark } from "./external-mark.ts";
import type { OutgoingMessages } from "./outgoing-messages.ts";
import type { RunMemory } from "./run-memory.ts";
import {
  applyEntry,
  changeText,
  checkedState,
  checkRow,
  deployedState,
  hasChange,
  sizeWithin,
  viewedState,
} from "./state-changes.ts";
import type { Flush, ReservedEntry } from "./state-flush.ts";
import type { Checkpoint, StateRows } from "./state-rows.ts";

interface StateStoreOptions {
  readonly storage: Pick<PartStorage, "transactionSync"> & { readonly isEmpty: boolean };
  readonly spec: StateSpec;
  readonly log: () => RoomLog;
  readonly rows: StateRows;
  readonly runs: RunMemory;
  readonly outgoing: OutgoingMessages;
  /** The most bytes of the state's JSON. */
  readonly bytesAtMost: number;
  /** Reserves the entry of this flush, with this time. */
  reserve(at: number): ReservedEntry;
  now(): number;
}

export class StateStore {
  readonly #options: StateStoreOptions;
  #isOpen = false;
  #current: unknown;
  /** The state that the flush under way writes; at other times the same as `#flushed`, that of the last flush. */
  #sealed: unknown;
  #flushed: unknown;
  /** The view of clients after the last flush; undefined if they see nothing. */
  #shown: unknown;
  #snapshotText: string | undefined;
  /** An upper bound of the bytes of the state's JSON. */
  #bytes = 0;
  #flush: Flush | undefined;
  /** The next change must have the whole state: at a wake, because clients may have the `initial` of earlier code. */
  #owesWhole: boolean;
  readonly elsewhere = new ExternalMark();

  constructor(options: StateStoreOptions) {
    this.#options = options;
    this.#owesWhole = !options.storage.isEmpty;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The state after all actions so far, also those that are not saved yet. */
  get current(): unknown {
    return this.#current;
  }

  /** The state after the last flush. */
  get flushed(): unknown {
    return this.#flushed;
  }

  /**
   * Reads the state, on first use after a wake. False if the room has none. Throws `state_newer`, `invalid_state`, and
   * errors of a migration; the stored state is not lost then.
   */
  open(): boolean {
    if (this.#isOpen) return true;
    const { rows, runs, spec, log } = this.#options;
    const row = rows.read();
    if (!row) return false;
    let state: unknown = JSON.parse(row.json);
    const { elsewhere } = this;
    [elsewhere.saved, elsewhere.changed] = [row.saved, row.offset];
    for (const entry of log().kept(row.offset)) {
      if (entry.target === STATE_TARGET) {
        state = applyEntry(state, entry);
        elsewhere.changed = entry.offset;
        rows.count(entry);
        runs.restore((entry as StateEntry).runs ?? [], entry.at);
      }
      // Counts each entry as a row: too many, so that the checkpoint comes before a row with a change is overwritten.
      rows.countRow();
    }
    try {
      const taken = deployedState(spec, freezeDeep(state), row.version);
      if (taken === state) this.#begin(state);
      else this.#renew(taken);
      this.#owesWhole = false;
    } catch (error) {
      if (rows.isBehind)
        this.#write({ ...row, offset: elsewhere.changed, json: JSON.stringify(state) });
      throw error;
    }
    return true;
  }

  /** Saves changes and answers of a state that this deploy refuses, because messages may overwrite their rows. */
  #write(checkpoint: Checkpoint): void {
    const { rows, runs, storage, now } = this.#options;
    storage.transactionSync(() => {
      rows.write(checkpoint);
      runs.write(now());
    });
    for (const part of [rows, runs]) part.written();
  }

  /** Begins with the state of a new room: `initial`, or a loaded one. It is stored with the first change. */
  begin(state: unknown): void {
    this.#beginWithin(checkedState(this.#options.spec, state));
  }

  /** Begins with a checked state. Throws `invalid_state` if it is too large. */
  #beginWithin(state: unknown): void {
    sizeWithin(state, this.#options.bytesAtMost);
    this.#begin(state);
  }

  #begin(state: unknown): void {
    const { view } = this.#options.spec;
    this.#shown = view && viewedState(view, state);
    [this.#current, this.#sealed, this.#flushed] = [state, state, state];
    [this.#isOpen, this.#bytes, this.#snapshotText] = [true, Infinity, undefined];
  }

  /** Begins with a state that differs from the stored one, which stays if this throws. Clients get a snapshot of it. */
  #renew(state: unknown): void {
    this.#beginWithin(state);
    this.#options.rows.outdated();
    this.reserveWhole();
  }

  /** Makes the next flush write the whole state, as a checkpoint and for clients. */
  reserveWhole(): void {
    this.flush().isWhole = true;
  }

  /** Takes the state after an action. Throws `invalid_state` if it is too large. */
  keep(next: unknown): void {
    const change = patchBetween(this.#current, next);
    if (change === undefined) return;
    const { bytesAtMost } = this.#options;
    const bytes = this.#bytes + JSON.stringify(change).length * 3;
    this.#bytes = bytes > bytesAtMost ? sizeWithin(next, bytesAtMost) : bytes;
    this.#current = next;
  }

  /** The flush under way; begins one, with the time of its first action, if there is none. */
  flush(at = this.#options.now()): Flush {
    return (this.#flush ??= { ...this.#options.reserve(at), runs: [], shown: this.#shown });
  }

  /** The ticket of the flush under way, which is not final yet. */
  get ticket(): ReservedEntry["ticket"] | undefined {
    return this.#flush?.ticket;
  }

  /** The same, if a run with this key is in it. */
  ticketOf(key: string): ReservedEntry["ticket"] | undefined {
    return this.#flush?.runs.some(([one]) => one === key) ? this.ticket : undefined;
  }

  /** Fills the reserved entry. Throws errors of the hub's `view`, and `invalid_state`. */
  seal(): void {
    const flush = this.#flush;
    if (!flush) return;
    const { spec, outgoing, log } = this.#options;
    const { entry, runs } = flush;
    this.#sealed = this.#current;
    if (runs.length > 0) entry.runs = runs;
    const { offset } = entry;
    outgoing.seal({ epoch: log().position.epoch, offset });
    if (this.#current === this.#flushed && !flush.isWhole) return;
    const isWhole = (flush.isWhole ||= this.#owesWhole);
    const whole = changeText(this.#flushed, this.#current, isWhole);
    if (spec.view) {
      flush.shown = viewedState(spec.view, this.#current);
      // `#shown` must be whole too: a client's copy of a part of the state needs a patch of that part.
      const isAll = flush.shown === this.#current && this.#shown === this.#flushed;
      entry.params = isAll ? whole : changeText(this.#shown, flush.shown, isWhole);
    }
    if (entry.params !== whole) entry.change = whole;
    checkRow(entry);
  }

  /** Called after the flush was saved as a whole, or not at all. */
  saved(isSaved: boolean): void {
    const flush = this.#flush;
    if (!flush) return;
    this.#flush = undefined;
    if (flush.isWhole) this.#owesWhole = !isSaved;
    const { outgoing, runs, now } = this.#options;
    if (isSaved) {
      if (flush.shown !== this.#shown) this.#snapshotText = undefined;
      if (hasChange(flush.entry)) this.elsewhere.change(flush.entry.offset, this.#current);
      [this.#flushed, this.#shown] = [this.#current, flush.shown];
    } else {
      [this.#current, this.#sealed, this.#bytes] = [this.#flushed, this.#flushed, Infinity];
      for (const [key] of flush.runs) runs.drop(key);
    }
    outgoing.flushed(flush.entry.offset, isSaved, now());
  }

  /** The state of the flush under way, or of the last one, for a checkpoint. Only once the state is open. */
  get sealed(): unknown {
    return this.#sealed;
  }

  /** An upper bound of the bytes of the state's JSON. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The view of clients; undefined if they see nothing. */
  snapshot(): Snapshot | undefined {
    if (!this.#options.spec.view) return undefined;
    const text = (this.#snapshotText ??= JSON.stringify(this.#shown));
    return { text, position: this.#options.log().position };
  }

  /** Whether the room has a state that differs from its initial one. */
  differsFrom(initial: () => unknown): boolean {
    if (this.#isOpen) return !isSame(this.#current, initial());
    const { rows } = this.#options;
    const row = rows.read();
    return row !== undefined && (rows.isBehind || !isSame(JSON.parse(row.json), initial()));
  }

  /** Called after the storage was erased or deleted: the next use begins with a new state. */
  forget(): void {
    const { outgoing, rows, runs } = this.#options;
    for (const part of [rows, runs, outgoing]) part.forget();
    [this.#isOpen, this.#flush, this.#owesWhole] = [false, undefined, false];
    this.elsewhere.forget();
  }
}
