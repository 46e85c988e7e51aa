// Counts since the last report to the hub's index: in this wake, and in earlier ones that kept their counts
// for it. A wake that begins with kept counts goes on as the one that kept them, so the index counts them once.

import type { CounterSnapshot, Counts } from "../rpc/activity-report.ts";
import { difference, sum, ZERO_COUNTERS } from "./counters.ts";

interface WakeCountsOptions {
  /** Id of this wake of the object. */
  readonly wake: string;
  snapshot(): CounterSnapshot;
}

export class WakeCounts {
  readonly #snapshot: () => CounterSnapshot;
  #wake: string;
  /** Counted in earlier wakes. */
  #earlier: CounterSnapshot = ZERO_COUNTERS;
  /** The counters of the last report. */
  #reported: CounterSnapshot = ZERO_COUNTERS;
  /** Something happened in this wake, beside a sweep. */
  isActive = false;
  /** Earlier counts are no longer taken: a report has begun to count what there is. */
  #isBegun = false;

  constructor({ wake, snapshot }: WakeCountsOptions) {
    this.#wake = wake;
    this.#snapshot = snapshot;
  }

  /** Goes on from what an earlier wake kept, in place of older counts. Changes nothing where it comes too late. */
  resume(kept: Counts | undefined): void {
    if (!kept || this.#isBegun) return;
    this.#wake = kept.wake;
    this.#earlier = kept.counted;
    this.#reported = kept.before;
  }

  /** As of now. A wake counts once something has happened in it. */
  get now(): Counts {
    const snapshot = this.#snapshot();
    const now = this.isActive ? snapshot : { ...snapshot, wakes: 0 };
    const counted = this.#earlier === ZERO_COUNTERS ? now : sum(this.#earlier, now);
    return { wake: this.#wake, counted, before: this.#reported };
  }

  /** For a report that is about to leave: after it, no earlier counts are taken. */
  take(): Counts {
    this.#isBegun = true;
    return this.now;
  }

  /** Nothing was counted since the last report. */
  get final(): Counts {
    return { wake: this.#wake, counted: this.#reported, before: this.#reported };
  }

  /** The index has these; gives how much more they are than the report before. */
  confirm(counted: CounterSnapshot): CounterSnapshot {
    const increase = difference(counted, this.#reported);
    this.#reported = counted;
    return increase;
  }
}
