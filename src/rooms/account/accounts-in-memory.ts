// The accounts of one object that are in memory. An account is in memory only once: two instances for one user would
// have outdated copies of each other's changes.

import type { Account } from "./account.ts";

/** The most accounts in memory. A dropped one loses only its rate of connects: all other data is stored. */
const ACCOUNTS_AT_MOST = 10_000;

interface Held {
  readonly account: Account;
  /** Number of calls and alarms under way. */
  uses: number;
}

export class AccountsInMemory {
  readonly #make: (user: string) => Account;
  readonly #held = new Map<string, Held>();

  constructor(make: (user: string) => Account) {
    this.#make = make;
  }

  /** Runs a function with the user's account, which stays in memory until that is over. */
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

  /** Drops the oldest account that is not in use, if there is one. */
  #dropOldest(): void {
    for (const [user, { uses }] of this.#held) if (uses === 0) return void this.#held.delete(user);
  }

  /** Called when the storage was deleted. */
  clear(): void {
    this.#held.clear();
  }
}
