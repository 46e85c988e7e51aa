// A room's state: one JSON value that actions change, one at a time, each within a turn of the event loop. An action
// never waits, so there is no lock and no queue: draft → action → validation → kept in memory. The next flush saves all
// effects in one commit (state-store.ts), then sends them.
//
//   · An action that throws has no effect. A flush that cannot be saved reverts all of its actions.
//   · Clients get the change of each flush by one entry of the log, which its first action reserves, so that it has a
//     smaller offset than messages of the actions.

import { draftOf } from "../../model/draft.ts";
import { HubError, publicError } from "../../model/errors.ts";
import { logWarning } from "../../model/logger.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import { retryPause } from "../platform/retry-pause.ts";
import type { Run, Snapshot } from "../rpc/state-rpc.ts";
import { ActionTurn, resultText } from "./action-turn.ts";
import { scopedKey } from "./run-memory.ts";
import { runSchedules } from "./run-schedules.ts";
import type { FinishedRun, PlannedRun, RoomStateParts } from "./state-parts.ts";
import { StateTransfer } from "./state-transfer.ts";
import { eraseRows } from "./unopened-state.ts";

/** Bytes of messages to other rooms, or of answers, after which the next action begins another flush. */
const FLUSHED_BYTES = 512 * 1024;
const SAVED = { error: null, isFinal: true } as const;

export class RoomState {
  readonly #parts: RoomStateParts;
  /** Number of alarms in a row at which schedules could not be run. */
  #failures = 0;
  /** Characters of answers of runs with keys, in the flush under way. */
  #answerChars = 0;
  /** Schedules, messages to other rooms, and saves elsewhere. */
  readonly duty: Duty;
  /** Requests of services. */
  readonly transfer: StateTransfer;

  constructor(parts: RoomStateParts) {
    this.#parts = parts;
    this.transfer = new StateTransfer(this, parts);
    this.duty = { due: this.#due.bind(this), run: this.#work.bind(this) };
  }

  /** Resolves when the state is in memory; undefined if it is. Rejects with `unavailable`, `state_newer`, … */
  ready(): Promise<void> | undefined {
    const { agenda, external, spec, store, tables } = this.#parts;
    if (store.isOpen) return undefined;
    agenda.know();
    tables.prepare();
    if (store.open()) return undefined;
    if (spec.load && !external.isErased) return external.load();
    store.begin(spec.initial());
    return undefined;
  }

  /** Rejects with the action's error, `conflict`, `invalid_state`, `invalid_arguments`, `method_not_found`, … */
  async run(run: Run): Promise<FinishedRun> {
    const args = await this.#parts.spec.prepare(run);
    await this.ready();
    return this.perform({ run, args });
  }

  /** Runs an action within this turn of the event loop. */
  perform(performing: PlannedRun): FinishedRun {
    const { counted } = this.#parts;
    try {
      const performed = this.#turn(performing);
      counted(performed.repeated ? "repeated" : "done");
      return performed;
    } catch (error) {
      counted(publicError(error).code);
      throw error;
    }
  }

  #turn(performing: PlannedRun): FinishedRun {
    const { run } = performing;
    const { flush, outgoing, publisher, runs, spec, storage, now } = this.#parts;
    // A flush's messages to other rooms are one row, and so are its answers: both must not grow too large.
    if (Math.max(outgoing.pendingBytes, this.#answerChars) > FLUSHED_BYTES) flush();
    const key = scopedKey(run);
    const known = key === undefined ? undefined : runs.find(key, now());
    if (known) return this.#repeated(key!, known);
    if (run.at && !publisher().stands(run.at))
      throw new HubError("conflict", "The room is at another position.");
    if (spec.tables.length === 0) return this.#perform(performing, key);
    return storage.transactionSync(() => this.#perform(performing, key));
  }

  #repeated(key: string, { offset, result }: { offset: number; result: string }): FinishedRun {
    const { epoch } = this.#parts.publisher().newest;
    const ticket = this.#parts.store.ticketOf(key) ?? SAVED;
    return { result, position: { epoch, offset }, repeated: true, ticket };
  }

  #perform({ run, args, ...more }: PlannedRun, key: string | undefined): FinishedRun {
    const { outgoing, ports, publisher, schedule, store, topic } = this.#parts;
    const was = store.current;
    const at = this.#parts.now();
    const [draft, finish] = draftOf(was);
    const turn = new ActionTurn({
      ...{ draft, was, room: topic, now: at, ports },
      key: run.key ?? more.turnKey ?? crypto.randomUUID(),
    });
    for (const [id, one] of more.scheduling ?? []) turn.scheduling.set(id, one);
    try {
      const result = resultText(this.#parts.spec.apply(run, args, turn), run.action);
      schedule.check(turn.scheduling);
      outgoing.check(turn.outgoing);
      store.keep(this.#checked(finish(), was));
      const { position, ticket } = this.#keep(turn, key, result);
      if (turn.hasWritten) publisher().save(true);
      if (turn.hasWritten && ticket.error) throw ticket.error;
      return { result, position, repeated: false, ticket };
    } finally {
      finish("drop");
      turn.end();
    }
  }

  #checked(next: unknown, was: unknown): unknown {
    const { spec } = this.#parts;
    return spec.checksActions && next !== was ? spec.check(next) : next;
  }

  /** Keeps the effects of a turn, which were checked before. Returns the position after it. */
  #keep(turn: ActionTurn, key: string | undefined, result: string) {
    const { outgoing, publisher, runs, schedule, store } = this.#parts;
    const isKept = store.current !== turn.was || key !== undefined || turn.scheduling.size > 0;
    const flush = isKept || turn.elsewhere.length > 0 ? store.flush(turn.now) : undefined;
    const tickets = turn.here.map((draft) => publisher().append(draft, turn.now));
    schedule.put(turn.scheduling);
    outgoing.add(turn.elsewhere, turn.outgoing);
    const position = publisher().newest;
    if (key !== undefined) {
      const kept = [key, position.offset, result] as const;
      flush!.runs.push(kept);
      this.#answerChars += key.length + result.length;
      runs.add(kept, turn.now);
    }
    // A run without effects may have read those of the flush.
    return { position, ticket: store.ticket ?? tickets.at(-1) ?? SAVED };
  }

  untilSaved(): Promise<void> {
    return this.#parts.publisher().untilSaved();
  }

  /** The view of clients; undefined if they see nothing. Call it only once the state is ready. */
  snapshot(): Snapshot | undefined {
    return this.#parts.store.snapshot();
  }

  /** The same without waiting: empty if the state must be loaded first. */
  snapshotNow(): { readonly state?: Snapshot } {
    try {
      // A failed load is logged elsewhere.
      if (this.ready()?.catch(() => {})) return {};
      const state = this.snapshot();
      return state ? { state } : {};
    } catch (error) {
      logWarning("state_unread", { error });
      return {};
    }
  }

  /** The same, after a flush of unsaved changes. */
  view(): Snapshot | undefined {
    this.#parts.flush();
    return this.snapshot();
  }

  /** The whole state, for services and hub code. Call it only once the state is ready. */
  whole(): Snapshot {
    const { store, publisher } = this.#parts;
    this.#parts.flush();
    return { text: JSON.stringify(store.flushed), position: publisher().newest };
  }

  readonly open = (): void => this.#parts.commit.open();
  seal(): void {
    this.#parts.schedule.seal();
    this.#parts.store.seal();
  }

  saved(isSaved: boolean): void {
    const { agenda, external, schedule, store, now } = this.#parts;
    store.saved(isSaved);
    this.#answerChars = 0;
    const dueAt = schedule.flushed(isSaved) ? schedule.dueAt() : undefined;
    if (dueAt !== undefined) agenda.arm(dueAt);
    if (isSaved) external.changed(now());
  }

  /** When the next work is due, `atWake` also what an earlier life left. Overdue work waits longer after failures. */
  #due(now: number, atWake = false): number | undefined {
    const { external, outgoing, schedule } = this.#parts;
    const isLeft = atWake && (external.isUnsaved || !outgoing.isEmpty);
    const due = [schedule.dueAt(), outgoing.due(), external.due(), isLeft ? now : undefined];
    const at = Math.min(...due.filter((one) => one !== undefined));
    if (at === Infinity) return undefined;
    return at > now ? at : now + retryPause(Math.max(0, this.#failures - 1));
  }

  async #work(now: number): Promise<void> {
    const { external, outgoing } = this.#parts;
    outgoing.run(now);
    this.#failures++;
    await runSchedules(this, this.#parts, now);
    this.#failures = 0;
    external.run(now);
  }

  /** Whether an erasure has something to do beyond the object's storage. */
  get isElsewhere(): boolean {
    return this.#parts.spec.save !== undefined;
  }

  /** Called in the transaction of an erasure. */
  erase(): void {
    const { external, storage, tables } = this.#parts;
    external.erase();
    eraseRows(storage);
    tables.erase();
  }

  /** Called after an erasure: sets the initial state. Nothing is loaded, because the state elsewhere is erased too. */
  restart(): void {
    this.forget();
    this.#parts.store.begin(this.#parts.spec.initial());
  }

  /** Called after the storage was deleted: the next use begins with a new state. */
  forget(): void {
    this.#parts.schedule.forget();
    this.#parts.store.forget();
  }

  /** Called before the log loses rows: saves changes that only these have. */
  readonly checkpoint = (): void => this.#parts.commit.checkpoint();

  /** Whether the state must be kept. At a wake it is not read for this: a stored state counts as kept. */
  keeps(atWake: boolean): boolean {
    const { external, outgoing, rows, schedule, spec, store } = this.#parts;
    if (!schedule.isEmpty || !outgoing.isEmpty || external.isErased) return true;
    if (atWake && !store.isOpen) return rows.offset !== undefined;
    return external.isUnsaved || store.differsFrom(() => spec.initial());
  }
}
