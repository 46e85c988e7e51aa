// Ids of users in order, with insertions and deletions, for pages of a room's presence.

/**
 * Ids in order, for pages of thousands of users. They are sorted for the first page, and kept in order from then on,
 * because most rooms are never listed.
 */
export class SortedIds {
  readonly #allIds: () => string[];
  #sortedIds: string[] | undefined;

  /** `allIds` returns every id, in any order; called once, for the first page. */
  constructor(allIds: () => string[]) {
    this.#allIds = allIds;
  }

  /** Adds an id that is not there yet. */
  add(id: string): void {
    this.#sortedIds?.splice(this.#positionOf(id), 0, id);
  }

  /** Deletes an id that is there. */
  delete(id: string): void {
    this.#sortedIds?.splice(this.#positionOf(id), 1);
  }

  /** At most `count` ids that come after this one. */
  page(after: string | undefined, count: number): { ids: string[]; more: boolean } {
    this.#sortedIds ??= this.#allIds().toSorted();
    let start = after === undefined ? 0 : this.#positionOf(after);
    if (after !== undefined && this.#sortedIds[start] === after) start++;
    const ids = this.#sortedIds.slice(start, start + count);
    return { ids, more: start + ids.length < this.#sortedIds.length };
  }

  /** The index at which the id is, or would be inserted. */
  #positionOf(id: string): number {
    let [low, high] = [0, this.#sortedIds?.length ?? 0];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sortedIds![middle]! < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
