// A client's copy of a room's state: the confirmed state, and on top of it the guesses of pending actions. Pure: it has
// no connection and no timer.

import { applyPatch, patchBetween } from "../model/merge-patch.ts";
import type { StateChange } from "../model/state-wire.ts";
import { isAfter } from "../model/topic.ts";

/** Changes a copy of the state as the action will. It may run many times. */
export type Guess = (state: never, ...args: readonly unknown[]) => void;

/** An action that is neither confirmed nor refused. */
export interface OpenRun {
  readonly guess: Guess | undefined;
  readonly args: readonly unknown[];
  /** The position of an answer that arrived before its effects: the guess ends when they arrive. */
  answeredAt?: string;
}

export class RoomCopy {
  /** Undefined before the first snapshot. Parts that a change does not touch stay the same objects. */
  confirmed: unknown;
  /** The position of the newest message of the room, of any kind. Undefined before the first snapshot. */
  position: string | undefined;
  readonly #runs = new Set<OpenRun>();
  #state: unknown;
  #isCurrent = true;

  /** `confirmed` after the guesses of all open runs, in their order. A guess that throws is left out. */
  get state(): unknown {
    if (!this.#isCurrent) this.#state = merge(this.#state, this.#guessed());
    this.#isCurrent = true;
    return this.#state;
  }

  get pending(): number {
    return this.#runs.size;
  }

  add(run: OpenRun): void {
    this.#runs.add(run);
    this.#isCurrent = false;
  }

  remove(run: OpenRun): void {
    this.#runs.delete(run);
    this.#isCurrent = false;
  }

  /**
   * Applies a snapshot, or a patch of the state at the preceding position. Ignores one that is not newer than the copy,
   * and a patch before the first snapshot.
   */
  change({ state, patch }: StateChange, position: string): void {
    if (this.position !== undefined && !isAfter(position, this.position)) return;
    if (state !== undefined) this.confirmed = merge(this.confirmed, state);
    else if (this.position !== undefined) this.confirmed = applyPatch(this.confirmed, patch);
    else return;
    this.#isCurrent = false;
    this.#moveTo(position);
  }

  /** Called for any message of the room: `confirmed` then has all effects up to its position. */
  advance(position: string): void {
    if (this.position === undefined || !isAfter(position, this.position)) return;
    this.#moveTo(position);
  }

  #moveTo(position: string): void {
    this.position = position;
    for (const run of this.#runs)
      if (run.answeredAt !== undefined && this.has(run.answeredAt)) this.remove(run);
  }

  /** Whether `confirmed` has all effects up to a position. True in a room without a copy, which shows none. */
  has(position: string): boolean {
    return this.position === undefined || !isAfter(position, this.position);
  }

  #guessed(): unknown {
    let state = this.confirmed;
    if (state !== undefined)
      for (const { guess, args } of this.#runs) if (guess) state = guessed(state, guess, args);
    return state;
  }
}

/** Runs the guess on a copy, not a draft: plain objects are faster and easier to inspect, and states are small. */
function guessed(state: unknown, guess: Guess, args: readonly unknown[]): unknown {
  const copy = copyOf(state);
  try {
    guess(copy as never, ...args);
    return merge(state, copy);
  } catch {
    return state;
  }
}

const copyOf = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyOf(item)]));
};

/**
 * The value `after`, with the objects of `before` wherever nothing has changed, so that code which renders them can
 * compare references.
 */
const merge = (before: unknown, after: unknown): unknown => {
  if (before === undefined || after === undefined) return after;
  const patch = patchBetween(before, after);
  return patch === undefined ? before : applyPatch(before, patch);
};
