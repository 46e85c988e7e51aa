// Whether an object can accept another client. An object that cannot keep up refuses new connections at once: connected
// clients are served, and the others get an answer in time. Otherwise every handshake would wait until its client has
// given up, and all of that work would be wasted.

import { HubError } from "../../model/errors.ts";
import type { Limits } from "../../model/options.ts";
import type { HeldBytes } from "../connection/held-bytes.ts";

interface ArrivalLoadOptions {
  readonly limits: Pick<Limits, "arrivalsAtOnce" | "arrivalWaitSeconds">;
  readonly held: Pick<HeldBytes, "fits">;
}

export class ArrivalLoad {
  readonly #options: ArrivalLoadOptions;
  /** Number of accepted clients that are joining their first rooms. */
  #underWay = 0;

  constructor(options: ArrivalLoadOptions) {
    this.#options = options;
  }

  /**
   * Throws `unavailable` if the request, sent at `sentAt`, has waited for this object for too long, or too many clients
   * are under way, and `busy` if the object's memory is spent. It only compares numbers: a refusal costs almost
   * nothing.
   */
  check(sentAt: number, now = Date.now()): void {
    const { limits, held } = this.#options;
    const isLate = now - sentAt > limits.arrivalWaitSeconds * 1000;
    if (isLate || this.#underWay >= limits.arrivalsAtOnce)
      throw new HubError("unavailable", "Too many clients are connecting; try again later.");
    if (!held.fits(1)) throw new HubError("busy", "Too much is waiting here; try again later.");
  }

  /** Counts a client until it is in its rooms. */
  async during(work: Promise<void>): Promise<void> {
    this.#underWay++;
    try {
      await work;
    } finally {
      this.#underWay--;
    }
  }
}
