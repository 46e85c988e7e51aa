// The state of a room in memory, for tests: its origin, and the view of clients.

import { HubError } from "../../model/errors.ts";
import { patchBetween } from "../../model/merge-patch.ts";
import type { StateSpec } from "../../rooms/rpc/state-rpc.ts";
import {
  checkedState,
  deployedState,
  frozenState,
  sizeWithin,
  viewedState,
} from "../../rooms/state/state-changes.ts";

interface Given {
  readonly state?: unknown;
  readonly stored?: { readonly version: number; readonly state: unknown };
}

/** A state that has passed all checks, with the view of clients. */
export interface CheckedState {
  readonly state: unknown;
  readonly shown: unknown;
}

export class MemoryState {
  readonly #spec: StateSpec;
  readonly #bytesAtMost: number;
  /** Patches to clients, one for each change. */
  readonly patches: unknown[] = [];
  #kept: CheckedState | undefined;
  #loading: Promise<void> | undefined;

  /** Throws `state_newer`, `invalid_state`, and errors of a migration. */
  constructor(spec: StateSpec, bytesAtMost: number, { state, stored }: Given) {
    [this.#spec, this.#bytesAtMost] = [spec, bytesAtMost];
    if (stored) this.#begin(deployedState(spec, frozenState(stored.state), stored.version));
    else if (state !== undefined) this.#begin(checkedState(spec, state));
    else if (!spec.load) this.#begin(checkedState(spec, spec.initial()));
  }

  /** Begins with a checked state. Throws `invalid_state` if it is too large, or if its view is no JSON. */
  #begin(state: unknown): void {
    sizeWithin(state, this.#bytesAtMost);
    this.#kept = { state, shown: this.#viewOf(state) };
  }

  /** Loads the state from elsewhere, on the first use. Rejects with `unavailable`, `invalid_state`. */
  async ready(): Promise<void> {
    if (!this.#kept) await (this.#loading ??= this.#load());
  }

  async #load(): Promise<void> {
    try {
      const loaded = (await this.#loaded()) ?? this.#spec.initial();
      this.#begin(checkedState(this.#spec, loaded));
    } finally {
      this.#loading = undefined;
    }
  }

  async #loaded(): Promise<unknown> {
    try {
      return await this.#spec.load!();
    } catch (cause) {
      throw new HubError("unavailable", "The state of this room could not be loaded.", { cause });
    }
  }

  get current(): unknown {
    return this.#now.state;
  }

  get shown(): unknown {
    return this.#now.shown;
  }

  get #now(): CheckedState {
    if (this.#kept) return this.#kept;
    throw new Error("The hub loads this state on its first use: run an action first.");
  }

  /** Checks the state after an action, without keeping it. Throws `invalid_state`, and errors of the hub's `view`. */
  checked(next: unknown): CheckedState {
    const { checksActions, check } = this.#spec;
    const state = checksActions && next !== this.current ? check(next) : next;
    if (patchBetween(this.current, state) === undefined) return this.#now;
    sizeWithin(state, this.#bytesAtMost);
    return { state, shown: this.#viewOf(state) };
  }

  /** Keeps a checked state; returns whether it differs from the one before. */
  keep(next: CheckedState): boolean {
    const isChanged = next.state !== this.current;
    const patch = patchBetween(this.shown, next.shown);
    if (patch !== undefined) this.patches.push(patch);
    this.#kept = next;
    return isChanged;
  }

  #viewOf(state: unknown): unknown {
    const { view } = this.#spec;
    return view && viewedState(view, state);
  }
}
