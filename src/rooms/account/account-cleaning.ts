// Removes objects without connections of the user from the user's account, because no object reports that.

import { askMany } from "../rpc/ask-many.ts";
import type { AccountStore } from "./account-store.ts";

/** The shortest pause between two searches for empty objects by a full account. */
const CLEANING_MS = 1_000;
/**
 * How many objects an attempt to connect checks for each second since the last search. Connects of other users wait
 * behind these calls, so they are few.
 */
const ASKED_A_SECOND = 10;
/** The most objects that an attempt, or the daily alarm, checks at once. */
const ASKED_AT_ONCE = 100;

export class AccountCleaning {
  readonly #store: Pick<AccountStore, "objects">;
  readonly #ask: (object: string) => Promise<unknown>;
  /** The last object that was checked; objects are checked in the order of their names. */
  #cleanedUpTo = "";
  /** The search that is under way, or the last one. */
  #cleaning: { readonly done: Promise<void>; readonly until: number } | undefined;

  /** `ask` removes the object from the store if it has no connection left. */
  constructor(store: Pick<AccountStore, "objects">, ask: (object: string) => Promise<unknown>) {
    this.#store = store;
    this.#ask = ask;
  }

  /** Removes some empty objects: few, because each attempt of a user with a full account would call a thousand. */
  removeSome(now: number): Promise<void> {
    const { until = -Infinity, done } = this.#cleaning ?? {};
    if (done && until > now) return done;
    const seconds = (now - until + CLEANING_MS) / 1000;
    const most = Math.min(ASKED_AT_ONCE, Math.floor(seconds * ASKED_A_SECOND));
    this.#cleaning = { done: this.removeNext(most), until: now + CLEANING_MS };
    return this.#cleaning.done;
  }

  /**
   * Sends an empty command to the next objects, whose outcome has the number of the user's connections. A few objects
   * each time, in turn, so that the cost of a refusal does not grow with their number.
   */
  async removeNext(most = ASKED_AT_ONCE): Promise<void> {
    const objects = this.#store.objects.filter((object) => object > this.#cleanedUpTo);
    const next = objects.toSorted().slice(0, most);
    this.#cleanedUpTo = next.length < most ? "" : next.at(-1)!;
    await askMany(next, this.#ask).catch(() => {});
  }
}
