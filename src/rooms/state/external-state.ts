// State that the hub stores elsewhere: calls `load` on the first use of a room without a state, and `save` after
// changes.
//
//   · One load at a time. One that fails is tried again with the next use; it is never replaced by `initial`.
//   · A save has the newest state and its position. There is one at a time, repeated until it succeeds, also after a
//     crash. One that takes too long has failed: its result is ignored. An alarm is set for each until it ends.
//   · An erasure leaves a marker until it is saved. Until then nothing is loaded, because the erased state is still
//     there.

import { withTimeout } from "../../model/bounded-read.ts";
import { HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import type { KeyValues } from "../../model/stored-values.ts";
import type { Position } from "../../model/topic.ts";
import { retryPause } from "../platform/retry-pause.ts";
import type { StateSpec } from "../rpc/state-rpc.ts";
import type { StateRows } from "./state-rows.ts";
import type { StateStore } from "./state-store.ts";

/** The most callers that wait for one load. */
const WAITING_AT_MOST = 1_000;
/** Time after which a save counts as failed. */
const SAVE_MS = 30_000;
/** Storage key: the position of an erasure that is not saved elsewhere yet. */
export const ERASED = "state-erased";

interface ExternalStateOptions {
  readonly spec: StateSpec;
  readonly store: StateStore;
  readonly rows: StateRows;
  readonly kv: KeyValues;
  position(): Position;
  arm(at: number): void;
  waitUntil(work: Promise<unknown>): void;
  /** Counts, for metrics, `unsaved` after a failed save. */
  counted(outcome: string): void;
}

/** A save under way; its promise resolves with whether it has succeeded. */
interface Saving extends PromiseWithResolvers<boolean> {
  readonly until: number;
}

export class ExternalState {
  readonly #options: ExternalStateOptions;
  #loading: Promise<void> | undefined;
  #waiting = 0;
  #saveAt: number | undefined;
  #failures = 0;
  #saving: Saving | undefined;

  constructor(options: ExternalStateOptions) {
    this.#options = options;
  }

  /** Loads the state. Rejects with `unavailable` if that fails or takes too long, or if too many callers wait. */
  async load(): Promise<void> {
    if (this.#waiting >= WAITING_AT_MOST)
      throw new HubError("unavailable", "Too many calls wait for the state of this room.");
    this.#waiting++;
    try {
      await (this.#loading ??= this.#load().finally(() => (this.#loading = undefined)));
    } finally {
      this.#waiting--;
    }
  }

  async #load(): Promise<void> {
    const { spec, store } = this.#options;
    const loaded = await this.loaded();
    // The state was opened meanwhile, such as by an erasure.
    if (store.isOpen) return;
    store.begin(loaded === undefined ? spec.initial() : loaded);
    store.elsewhere.loaded(store.current);
    if (loaded !== undefined) store.reserveWhole();
  }

  /** The result of `load`. */
  async loaded(): Promise<unknown> {
    const { spec } = this.#options;
    const late = () => new Error(`load took more than ${spec.loadSeconds} s`);
    try {
      return await withTimeout(spec.loadSeconds * 1000, spec.load!(), late);
    } catch (error) {
      logError("state_unloaded", { ...spec.about, error });
      throw new HubError("unavailable", "The state of this room could not be loaded; try again.");
    }
  }

  /** Called when a changed state was saved in the room: schedules a save elsewhere. */
  changed(now: number): void {
    const { spec, store, arm } = this.#options;
    if (!spec.save || this.#saveAt !== undefined || !store.elsewhere.isUnsaved) return;
    this.#saveAt = now + spec.saveSeconds * 1000;
    arm(this.#saveAt);
  }

  /** Whether the room was erased, and the erasure is not saved elsewhere yet. */
  get isErased(): boolean {
    return this.#erasure !== undefined;
  }

  get #erasure(): Position | undefined {
    const { spec, kv } = this.#options;
    return spec.save && kv.get<Position>(ERASED);
  }

  /** Whether a change or an erasure is not saved elsewhere. Before the state is opened, only as of the checkpoint. */
  get isUnsaved(): boolean {
    const { rows, spec, store } = this.#options;
    if (!spec.save || this.isErased) return this.isErased;
    return store.isOpen ? store.elsewhere.isUnsaved : rows.isUnsaved;
  }

  /** Called after the log has lost entries: saved offsets may be used again, in the new epoch, for other changes. */
  resave(): void {
    const { spec, rows, arm } = this.#options;
    if (!spec.save) return;
    rows.saved(-1);
    arm(Date.now() + spec.saveSeconds * 1000);
  }

  due(): number | undefined {
    return this.#saving ? this.#saving.until : this.#saveAt;
  }

  /** Starts a due save, without waiting for it. After a wake, opens the state to see whether a save is needed. */
  run(now: number): void {
    const { spec, store, waitUntil } = this.#options;
    if (!spec.save) return;
    if (this.#saving && this.#saving.until <= now)
      this.#end(now, { error: new Error(`save took more than ${SAVE_MS / 1000} s`) });
    if (this.#saving) return;
    if (this.#saveAt === undefined) {
      if (!this.isErased) store.open();
      if (!this.isUnsaved) return;
    } else if (this.#saveAt > now) return;
    waitUntil(this.#begin(now));
  }

  /** Saves unsaved changes at once. Rejects with `unavailable` if that fails. */
  async save(): Promise<void> {
    // A save under way may have an older state.
    await this.#saving?.promise;
    if (!this.isUnsaved) return;
    const now = Date.now();
    this.#options.arm(now + SAVE_MS);
    if (await this.#begin(now)) return;
    throw new HubError("unavailable", "The state of this room could not be saved; try again.");
  }

  #begin(now: number): Promise<boolean> {
    if (this.#saving) return this.#saving.promise;
    const saving = { until: now + SAVE_MS, ...Promise.withResolvers<boolean>() };
    this.#saving = saving;
    void this.#save(saving, now);
    return saving.promise;
  }

  async #save(saving: Saving, now: number): Promise<void> {
    const { spec, store, position } = this.#options;
    const erased = this.#erasure;
    const saved = erased
      ? { state: undefined, position: erased }
      : { state: store.flushed, position: position() };
    this.#saveAt = undefined;
    try {
      await spec.save!(saved);
      if (this.#saving !== saving) return;
      this.#saved(saved.position, erased !== undefined);
      this.#end(now);
    } catch (error) {
      if (this.#saving === saving) this.#end(now, { error });
    }
  }

  #end(now: number, failure?: { readonly error: unknown }): void {
    const { arm, counted, spec } = this.#options;
    const saving = this.#saving!;
    this.#saving = undefined;
    if (failure) {
      logError("state_unsaved", { ...spec.about, ...failure });
      counted("unsaved");
      this.#saveAt = now + retryPause(this.#failures++);
    } else {
      this.#failures = 0;
      if (this.isUnsaved) this.#saveAt = now;
    }
    if (this.#saveAt !== undefined) arm((this.#saveAt = Math.max(this.#saveAt, now + 1)));
    saving.resolve(!failure);
  }

  /** Notes a save, unless the room was erased meanwhile, perhaps once more: each erasure begins another epoch. */
  #saved({ epoch, offset }: Position, isErasure: boolean): void {
    const { kv, position, rows, store } = this.#options;
    const { epoch: now } = (isErasure && this.#erasure) || position();
    if (now !== epoch) return;
    if (isErasure) kv.delete(ERASED);
    else rows.saved((store.elsewhere.saved = offset));
  }

  /** Called in the transaction of an erasure: `save` is then called with `undefined`. */
  erase(): void {
    const { spec, kv, arm, position } = this.#options;
    if (!spec.save) return;
    kv.put(ERASED, position());
    this.#saveAt = Date.now();
    arm(this.#saveAt);
  }
}
