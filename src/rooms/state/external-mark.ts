// How far a state was saved elsewhere. Offsets are those of the room's log.

export class ExternalMark {
  /** The offset up to which it was saved there; -1: not at all. */
  saved = -1;
  /** The offset of its newest change, or a later one. */
  changed = -1;
  /** The state as it was loaded from there, until it changes. */
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

  /** `saved` of a checkpoint with this state. */
  savedWith(offset: number, state: unknown): number {
    return state !== undefined && state === this.#loaded ? offset : this.saved;
  }

  forget(): void {
    [this.saved, this.changed, this.#loaded] = [-1, -1, undefined];
  }
}
