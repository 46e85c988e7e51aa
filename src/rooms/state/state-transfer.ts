// Export, import and fork of a room, as a document. Also other requests of services about its state: they load it
// again, and read and cancel its schedule.

import { HubError, publicError } from "../../model/errors.ts";
import { STATE_TARGET } from "../../model/state-wire.ts";
import { formatPosition, type Position } from "../../model/topic.ts";
import { exceeds } from "../../protocols/bytes.ts";
import { EXPORT_BYTES, type ExportedState, type Scheduled } from "../rpc/state-rpc.ts";
import { ARGUMENT_BYTES } from "./action-turn.ts";
import { documented } from "./run-schedules.ts";
import { applyEntry, checkedState } from "./state-changes.ts";
import type { RoomStateParts } from "./state-parts.ts";
import type { StateStore } from "./state-store.ts";

/** The most loads of one `reload`, if actions run meanwhile. */
const RELOADS_AT_MOST = 3;

interface Opened {
  ready(): Promise<void> | undefined;
}

export class StateTransfer {
  readonly #state: Opened;
  readonly #parts: RoomStateParts;

  constructor(state: Opened, parts: RoomStateParts) {
    [this.#state, this.#parts] = [state, parts];
  }

  /** Scheduled actions in the order of their times. The state need not be loaded. */
  schedule(): readonly Scheduled[] {
    this.#parts.flush();
    return this.#parts.schedule.all;
  }

  /** Cancels a scheduled action. False if there is none with this id. */
  async cancel(id: string): Promise<boolean> {
    await this.#state.ready();
    const { schedule, store } = this.#parts;
    if (!schedule.get(id)) return false;
    schedule.put(new Map([[id, undefined]]));
    this.#save(store.flush());
    return true;
  }

  /** Throws if the flush could not be saved. */
  #save({ ticket }: ReturnType<StateStore["flush"]>): void {
    this.#parts.flush();
    if (ticket.error) throw ticket.error;
  }

  /**
   * Loads the state from elsewhere again: the difference is a change like others. Does nothing while an erasure is not
   * saved there. Throws `unavailable`.
   */
  async reload(): Promise<Position> {
    const { publisher, spec } = this.#parts;
    await this.#state.ready();
    if (spec.load) await this.#reload(RELOADS_AT_MOST);
    return publisher().newest;
  }

  /**
   * Reverts no action: unsaved changes are saved elsewhere first, and a state that was loaded while an action ran is
   * discarded. Without `save` the loaded state always replaces the present one.
   */
  async #reload(attempts: number): Promise<void> {
    const { external, flush, spec } = this.#parts;
    if (external.isErased) return;
    if (attempts === 0)
      throw new HubError("unavailable", "Actions change this state while it is loaded; try again.");
    flush();
    const before = this.#newestChange;
    await external.save();
    const loaded = await external.loaded();
    flush();
    if (spec.save && this.#newestChange !== before) return this.#reload(attempts - 1);
    this.#replace(loaded === undefined ? spec.initial() : loaded);
  }

  get #newestChange(): string {
    const { publisher, store } = this.#parts;
    return formatPosition({ ...publisher().newest, offset: store.elsewhere.changed });
  }

  #replace(state: unknown): void {
    const { spec, store } = this.#parts;
    const next = checkedState(spec, state);
    const flush = store.flush();
    store.keep(next);
    store.elsewhere.loaded(store.current);
    this.#save(flush);
  }

  /**
   * Exports the room, or its state at an earlier position, without the schedule, of which only the present one is
   * known. Returns JSON in UTF-8. Throws `history_gone`, `too_large`.
   */
  async export(at?: Position): Promise<Uint8Array> {
    await this.#state.ready();
    const { flush, publisher, schedule, spec, tables } = this.#parts;
    flush();
    const position = at ?? publisher().newest;
    const state = this.#stateAt(position);
    const isNow = publisher().stands(position);
    if (!isNow && spec.tables.length > 0)
      throw gone("Rows of tables are known as they are now alone.");
    const exported: ExportedState = {
      ...{ version: spec.version, position: formatPosition(position), state },
      schedule: isNow ? schedule.all.map(documented) : [],
      tables: tables.rows(EXPORT_BYTES),
    };
    const bytes = new TextEncoder().encode(JSON.stringify(exported));
    if (bytes.length > EXPORT_BYTES)
      throw new HubError("too_large", `An export has ${EXPORT_BYTES} bytes at most.`);
    return bytes;
  }

  /** Throws `history_gone` for a position before the last checkpoint, of another epoch, or of the future. */
  #stateAt(at: Position): unknown {
    const { log, publisher, rows, spec, store } = this.#parts;
    const newest = publisher().newest;
    if (at.epoch === newest.epoch && at.offset === newest.offset) return store.flushed;
    if (at.epoch !== newest.epoch || at.offset > newest.offset)
      throw gone("The room does not know this position.");
    // This read makes a log that is written behind save its entries.
    const later = log().after(at.offset);
    const row = rows.read();
    if (!row) return store.flushed;
    // Other entries than changes may have moved the checkpoint.
    const next = later?.find((one) => one.target === STATE_TARGET || one.offset >= row.offset);
    const isPassed = row.offset > at.offset && (next?.target ?? STATE_TARGET) === STATE_TARGET;
    if (isPassed || row.version !== spec.version)
      throw gone("The room's state is not kept so far back.");
    return log()
      .kept(row.offset)
      .filter(({ target, offset }) => target === STATE_TARGET && offset <= at.offset)
      .reduce(applyEntry, JSON.parse(row.json) as unknown);
  }

  /**
   * Imports into an empty room, whose clients get the state as a change. Older versions are migrated. Throws
   * `conflict`, `state_newer`, `invalid_arguments`, and nothing is imported then.
   */
  async import(bytes: Uint8Array): Promise<Position> {
    await this.#state.ready();
    const { flush, publisher, spec } = this.#parts;
    const exported = JSON.parse(new TextDecoder().decode(bytes)) as ExportedState;
    const state = this.#accepted(exported);
    for (const { action, args, every } of exported.schedule) {
      if (every !== undefined) checkPeriod(spec, every);
      // oxlint-disable-next-line no-await-in-loop -- the first that fails is the answer
      await spec.prepare({ action, args: argumentText(args) });
    }
    flush();
    this.#checkEmpty();
    this.#parts.storage.transactionSync(() => this.#put(state, exported));
    flush();
    return publisher().newest;
  }

  /** The document's state, migrated and checked. Errors of hub code become `invalid_arguments` with their message. */
  #accepted({ state, version }: ExportedState): unknown {
    const { spec } = this.#parts;
    if (version > spec.version)
      throw new HubError("state_newer", "A newer deploy has exported this state.");
    try {
      const today = version < spec.version ? spec.migrate(state, version) : state;
      return checkedState(spec, today);
    } catch (error) {
      throw refusalOf(error);
    }
  }

  #checkEmpty(): void {
    const { outgoing, schedule, spec, store, tables } = this.#parts;
    const isKept = !schedule.isEmpty || !outgoing.isEmpty || !tables.isEmpty;
    if (isKept || store.differsFrom(() => spec.initial()))
      throw new HubError("conflict", "The room is not empty: erase it first.");
  }

  /** Called in one transaction. Statements that may throw come before changes in memory. */
  #put(state: unknown, { schedule: scheduled, tables: rows }: ExportedState): void {
    const { publisher, schedule, store, tables } = this.#parts;
    const scheduling = new Map(scheduled.map((one) => [one.id, one]));
    tables.fill(rows);
    schedule.check(scheduling);
    try {
      store.keep(state);
    } catch (error) {
      throw refusalOf(error);
    }
    schedule.put(scheduling);
    store.reserveWhole();
    const { ticket } = store.flush();
    publisher().save(true);
    if (ticket.error) throw ticket.error;
  }
}

/** The error for an invalid document. */
const refusalOf = (error: unknown): HubError =>
  new HubError("invalid_arguments", publicError(error).message, { cause: error });

/** Throws `invalid_arguments`. */
function checkPeriod(spec: RoomStateParts["spec"], every: number | string): void {
  try {
    spec.next(every, 0, 0);
  } catch (cause) {
    throw new HubError("invalid_arguments", (cause as Error).message, { cause });
  }
}

/** Checks arguments as `schedule` does. Throws `invalid_arguments`. */
function argumentText(args: readonly unknown[]): string {
  const text = JSON.stringify(args);
  if (!exceeds(text, ARGUMENT_BYTES)) return text;
  const sentence = `Arguments of a scheduled action have ${ARGUMENT_BYTES} bytes at most.`;
  throw new HubError("invalid_arguments", sentence);
}

const gone = (reason: string): HubError => new HubError("history_gone", reason);
