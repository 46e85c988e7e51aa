// Whether an object can take one more client. One that cannot keep up refuses new connections at once: those inside are
// served, and the others have an answer while they can still use it. Without it every handshake waits until its client
// has given up, and all of that work is for nobody.

import { HubError } from "../../model/errors.ts";
import type { Limits } from "../../model/options.ts";
import type { HeldBytes } from "../connection/held-bytes.ts";

interface ArrivalLoadOptions {
  readonly limits: Pick<Limits, "arrivalsAtOnce" | "arrivalWaitSeconds">;
  readonly held: Pick<HeldBytes, "fits">;
}

export class ArrivalLoad {
  readonly #options: ArrivalLoadOptions;
  /** Clients that are on their way into their rooms. */
  #underWay = 0;

  constructor(options: ArrivalLoadOptions) {
    this.#options = options;
  }

  /**
   * Throws `unavailable` where the request, sent at this time, has waited for this object longer than it may, or too
   * many clients are under way already, and `busy` where the object's memory is spent. Reads numbers only: a refusal
   * costs next to nothing.
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
