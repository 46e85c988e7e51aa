// The offsets in the room's log up to which a state was changed, and was saved elsewhere.

export class ExternalMark {
  /** The offset up to which the state was saved elsewhere; -1: not at all. */
  saved = -1;
  /** The offset of the state's newest change, or a later one. */
  changed = -1;
  /** The state as it was loaded, until it changes: it need not be saved. */
  #loaded: unknown;

  get isUnsaved(): boolean {
    return this.changed > this.saved;
  }

  loaded(state: unknown): void {
    this.#loaded = state;
  }

  /** The state after a flush that changed it. */
  change(offset: number, state: unknown): void {
    [this.saved, this.changed] = [this.savedWith(offset, state), offset];
    if (state !== this.#loaded) this.#loaded = undefined;
  }

  /** The value of `saved` for a checkpoint with this state. */
  savedWith(offset: number, state: unknown): number {
    return state !== undefined && state === this.#loaded ? offset : this.saved;
  }

  forget(): void {
    [this.saved, this.changed, this.#loaded] = [-1, -1, undefined];
  }
}
