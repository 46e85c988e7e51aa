// How many messages a second a room says, over the last minute. In memory: who sleeps says nothing.

const SECONDS = 60;

export class MessageRate {
  /** Messages by second, in a ring. */
  readonly #counts = new Uint32Array(SECONDS);
  #second = 0;

  add(messages: number, now: number): void {
    this.#turnTo(Math.floor(now / 1000));
    this.#counts[this.#second % SECONDS]! += messages;
  }

  perSecond(now: number): number {
    this.#turnTo(Math.floor(now / 1000));
    let messages = 0;
    for (const count of this.#counts) messages += count;
    return messages / SECONDS;
  }

  /** The seconds that passed meanwhile had nothing. A clock that goes back counts on where it was. */
  #turnTo(second: number): void {
    if (second <= this.#second) return;
    const passed = Math.min(second - this.#second, SECONDS);
    for (let i = 0; i < passed; i++) this.#counts[(second - i) % SECONDS] = 0;
    this.#second = second;
  }
}
