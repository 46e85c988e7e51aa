// Ids in their order, for pages of thousands of users: sorted once when first asked for, kept in order from then on.

export class SortedIds {
  readonly #all: () => string[];
  #sorted: string[] | undefined;

  /** `all` gives every id there is: it is asked when a page is wanted for the first time, and not before. */
  constructor(all: () => string[]) {
    this.#all = all;
  }

  /** An id that is not there yet. */
  add(id: string): void {
    this.#sorted?.splice(this.#from(id), 0, id);
  }

  /** An id that is there. */
  delete(id: string): void {
    this.#sorted?.splice(this.#from(id), 1);
  }

  /** At most `count` ids that come after this one. */
  page(after: string | undefined, count: number): { ids: string[]; more: boolean } {
    this.#sorted ??= this.#all().toSorted();
    let start = after === undefined ? 0 : this.#from(after);
    if (after !== undefined && this.#sorted[start] === after) start++;
    const ids = this.#sorted.slice(start, start + count);
    return { ids, more: start + ids.length < this.#sorted.length };
  }

  /** Where the id is, or would be. */
  #from(id: string): number {
    let [low, high] = [0, this.#sorted?.length ?? 0];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sorted![middle]! < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
