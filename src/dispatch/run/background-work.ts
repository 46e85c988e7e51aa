// Work of one connection's calls that outlasts them (`waitUntil`).

import { HubError } from "../../model/errors.ts";
import { logged, type Origin, type Place } from "../define/runtime.ts";

export class BackgroundWork {
  readonly #place: Place;
  #underWay = 0;

  constructor(place: Place) {
    this.#place = place;
  }

  /** Keeps the object awake until the work is done, and logs its error. */
  add(work: Promise<unknown>, origin: Origin): void {
    this.#underWay++;
    this.#place.waitUntil(logged(work, origin).finally(() => this.#underWay--));
  }

  /** Throws `rate_limited` while so many works are under way: a client would start more of them than ever end. */
  checkRoom(most: number): void {
    if (this.#underWay >= most)
      throw new HubError("rate_limited", `${most} works of earlier calls are under way.`);
  }
}
