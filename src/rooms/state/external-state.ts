// State that lives elsewhere: `load` on the first use of a room that holds none, and `save` behind its changes.
//
//   · One load at a time. One that fails is tried again with the next use; it is never replaced by `initial`.
//   · A save has the newest state and its position. One at a time, repeated until it succeeds; a crash repeats it. One
//     that takes too long has failed: its result is ignored. An alarm is set for each until it ends.
//   · An erasure leaves a marker until it is saved. Until then nothing is loaded: elsewhere is what was erased.

import { HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import type { KeyValues } from "../../model/stored-values.ts";
import type { Position } from "../../model/topic.ts";
import { retryPause } from "../platform/retry-pause.ts";
import type { StateSpec } from "../rpc/state-rpc.ts";
import type { StateRows } from "./state-rows.ts";
import type { StateStore } from "./state-store.ts";

/** Callers that may wait for one load. */
const WAITING_AT_MOST = 1_000;
/** From the beginning of a save until it counts as failed. */
const SAVE_MS = 30_000;
/** The key of the position at which an erased room is still to be saved. */
export const ERASED = "state-erased";

interface ExternalStateOptions {
  readonly spec: StateSpec;
  readonly store: StateStore;
  readonly rows: StateRows;
  readonly kv: KeyValues;
  position(): Position;
  arm(at: number): void;
  waitUntil(work: Promise<unknown>): void;
  /** For metrics: `unsaved` after a save that failed. */
  counted(outcome: string): void;
}

/** A save that is under way; resolves with whether it has succeeded. */
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

  /** Rejects with `unavailable` where it fails or takes too long, and where too many wait. */
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
    // An erasure, or another way to open it, came first.
    if (store.isOpen) return;
    store.begin(loaded === undefined ? spec.initial() : loaded);
    store.elsewhere.loaded(store.current);
    if (loaded !== undefined) store.reserveWhole();
  }

  /** The result of `load`. */
  async loaded(): Promise<unknown> {
    const { spec } = this.#options;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`load took more than ${spec.loadSeconds} s`)),
      spec.loadSeconds * 1000,
    );
    try {
      return await Promise.race([spec.load!(), late.promise]);
    } catch (error) {
      logError("state_unloaded", { ...spec.about, error });
      throw new HubError("unavailable", "The state of this room could not be loaded; try again.");
    } finally {
      clearTimeout(timer);
    }
  }

  /** The state was saved here. */
  changed(now: number): void {
    const { spec, store, arm } = this.#options;
    if (!spec.save || this.#saveAt !== undefined || !store.elsewhere.isUnsaved) return;
    this.#saveAt = now + spec.saveSeconds * 1000;
    arm(this.#saveAt);
  }

  /** The room was erased, and that is not saved yet. */
  get isErased(): boolean {
    return this.#erasure !== undefined;
  }

  get #erasure(): Position | undefined {
    const { spec, kv } = this.#options;
    return spec.save && kv.get<Position>(ERASED);
  }

  /** A change or an erasure is not saved elsewhere. Asleep, of changes, what the checkpoint knows of them. */
  get isUnsaved(): boolean {
    const { rows, spec, store } = this.#options;
    if (!spec.save || this.isErased) return this.isErased;
    return store.isOpen ? store.elsewhere.isUnsaved : rows.isUnsaved;
  }

  /** After the log has lost entries: offsets that were saved may come again, in the new epoch, for other changes. */
  resave(): void {
    const { spec, rows, arm } = this.#options;
    if (!spec.save) return;
    rows.saved(-1);
    arm(Date.now() + spec.saveSeconds * 1000);
  }

  due(): number | undefined {
    return this.#saving ? this.#saving.until : this.#saveAt;
  }

  /** After a wake the rows tell whether something is unsaved. Does not wait for the save. */
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

  /** Saves at once what is not saved elsewhere. Rejects with `unavailable` where that fails. */
  async save(): Promise<void> {
    // One that is under way may have an older state.
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

  /** Unless the room was erased meanwhile, or once more: offsets begin again, and each erasure has its epoch. */
  #saved({ epoch, offset }: Position, isErasure: boolean): void {
    const { kv, position, rows, store } = this.#options;
    const { epoch: now } = (isErasure && this.#erasure) || position();
    if (now !== epoch) return;
    if (isErasure) kv.delete(ERASED);
    else rows.saved((store.elsewhere.saved = offset));
  }

  /** In the transaction of an erasure: `save` is called once more, with `undefined`. */
  erase(): void {
    const { spec, kv, arm, position } = this.#options;
    if (!spec.save) return;
    kv.put(ERASED, position());
    this.#saveAt = Date.now();
    arm(this.#saveAt);
  }
}
