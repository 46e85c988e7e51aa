// Work of one connection's calls that outlasts them (`waitUntil`).

import { logged, type Origin, type Place } from "../define/runtime.ts";

export class BackgroundWork {
  readonly #place: Place;
  /** Works that have not ended. A call that finds too many fails: a client would start more of them than ever end. */
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
