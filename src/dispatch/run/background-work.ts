// Background work of one connection's calls, which continues after them (`waitUntil`).

import { logged, type Origin, type Place } from "../define/runtime.ts";

export class BackgroundWork {
  readonly #place: Place;
  /** Number of works that have not ended. If there are too many, further calls fail, so that they cannot pile up. */
  underWay = 0;

  constructor(place: Place) {
    this.#place = place;
  }

  /** Keeps the object awake until the work is done, and logs its error. */
  add(work: Promise<unknown>, origin: Origin): void {
    this.underWay++;
    this.#place.waitUntil(logged(work, origin).finally(() => this.underWay--));
  }
}
