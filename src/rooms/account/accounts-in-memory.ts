// The accounts of one object that are in memory, of users without end. An account is in memory once: two of one user
// would each remember what the other has changed.

import type { Account } from "./account.ts";

/** One that is dropped loses its connection rate, and is read again: all the rest is in storage. */
const ACCOUNTS_AT_MOST = 10_000;

interface Held {
  readonly account: Account;
  /** Calls and rings under way. */
  uses: number;
}

export class AccountsInMemory {
  readonly #make: (user: string) => Account;
  readonly #held = new Map<string, Held>();

  constructor(make: (user: string) => Account) {
    this.#make = make;
  }

  /** The account stays in memory until `run` is over. */
  async use<T>(user: string, run: (account: Account) => T | Promise<T>): Promise<T> {
    const held = this.#of(user);
    held.uses++;
    try {
      return await run(held.account);
    } finally {
      held.uses--;
    }
  }

  #of(user: string): Held {
    const known = this.#held.get(user);
    if (known) return known;
    if (this.#held.size >= ACCOUNTS_AT_MOST) this.#dropOldest();
    const held = { account: this.#make(user), uses: 0 };
    this.#held.set(user, held);
    return held;
  }

  /** None where all are in use: there are as many more as have calls under way. */
  #dropOldest(): void {
    for (const [user, { uses }] of this.#held) if (uses === 0) return void this.#held.delete(user);
  }

  /** The storage was deleted. */
  clear(): void {
    this.#held.clear();
  }
}
