// How often an object may keep its counts beside a socket. Each time costs about as much CPU as a message, while an
// alarm each 8 s costs a row: so active objects keep their counts, and busy ones set alarms.

/** On average; an object whose clients send a message a second needs one or two. */
const PER_SECOND = 8 / 3;
const BURST = 16;
/** After a busy time: a message over a relay is two activities. */
const AFTER_BUSY = 2;
/** A row, if no socket has room for the counts, costs as much as so many times beside one. */
const FOR_A_ROW = 4;

export class KeepBudget {
  #left = BURST;
  /** Milliseconds since 1970. */
  #filledAt = 0;

  mayKeep(now: number): boolean {
    this.#fill(now);
    return this.#left >= 1;
  }

  spend(): void {
    this.#left -= 1;
  }

  spendRow(): void {
    this.#left -= FOR_A_ROW;
  }

  /** The object was busy: it may keep its counts twice, and then as often as the average allows. */
  limit(now: number): void {
    this.#fill(now);
    this.#left = Math.min(this.#left, AFTER_BUSY);
  }

  /** No socket has room: it is tried again in a minute. */
  exhaust(): void {
    this.#left = -60 * PER_SECOND;
  }

  /** A clock that is set back takes nothing away. */
  #fill(now: number): void {
    const passedMs = Math.max(0, now - this.#filledAt);
    this.#left = Math.min(BURST, this.#left + (passedMs / 1_000) * PER_SECOND);
    this.#filledAt = now;
  }
}
