// Limits for the joins of one client. One frame may name a hundred rooms, each of which is a call to another object, so
// that neither the number of frames nor that of calls limits the work.

import { HubError } from "../../model/errors.ts";
import type { Limits } from "../../model/options.ts";
import { Budget } from "../../rooms/platform/budget.ts";

/** The burst, in times of `groupsPerConnection`: a client that reconnects resumes all its rooms at once. */
const BURSTS = 2;

export class JoinLimits {
  #perSecond: number;
  readonly #most: number;
  readonly #budget: Budget;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(limits: Limits) {
    this.#perSecond = limits.callsPerSecond;
    this.#most = limits.joinsAtOnce;
    this.#budget = new Budget(this.#perSecond, burstOf(limits));
  }

  /** Applies the limits of a fresh token, which is no refill. */
  limit(limits: Limits): void {
    this.#perSecond = limits.callsPerSecond;
    this.#budget.limit(this.#perSecond, burstOf(limits));
  }

  /** Throws `rate_limited` if these are more rooms than the connection may join now. */
  count(rooms: number): void {
    if (!this.#budget.spend(rooms))
      throw new HubError(
        "rate_limited",
        `${this.#perSecond} joins a second are allowed (limits.callsPerSecond).`,
      );
  }

  /** Runs the join when fewer than `joinsAtOnce` are under way; waiting ones begin in their order. */
  async inTurn<T>(join: () => Promise<T>): Promise<T> {
    if (this.#underWay >= this.#most)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#underWay++;
    try {
      return await join();
    } finally {
      // The next join takes the place of this one.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#underWay--;
    }
  }
}

const burstOf = ({ callsPerSecond, groupsPerConnection }: Limits): number =>
  Math.max(callsPerSecond, groupsPerConnection * BURSTS);
