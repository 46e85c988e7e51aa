// Forgets objects that have no connection of the user any more: no object reports that to the account.

import { askMany } from "../platform/ask-many.ts";
import type { AccountStore } from "./account-store.ts";

/** Pause before an account that is full looks again for objects that have become empty. */
const CLEANING_MS = 1_000;
/**
 * Objects that an attempt to connect asks for each second since the last look: others' connects wait behind them, and
 * do not notice so few.
 */
const ASKED_A_SECOND = 10;
/** Objects that are asked at once, by an attempt or the daily alarm. */
const ASKED_AT_ONCE = 100;

export class AccountCleaning {
  readonly #store: Pick<AccountStore, "objects">;
  readonly #ask: (object: string) => Promise<unknown>;
  /** The last object that was asked; objects are asked in the order of their names. */
  #cleanedUpTo = "";
  /** The look that is under way, or the last one. */
  #cleaning: { readonly done: Promise<void>; readonly until: number } | undefined;

  /** `ask` removes the object from the store where it has no connection left. */
  constructor(store: Pick<AccountStore, "objects">, ask: (object: string) => Promise<unknown>) {
    this.#store = store;
    this.#ask = ask;
  }

  /** A user who keeps an account full must not have every attempt ask a thousand objects. */
  removed(now: number): Promise<void> {
    const { until = -Infinity, done } = this.#cleaning ?? {};
    if (done && until > now) return done;
    const seconds = (now - until + CLEANING_MS) / 1000;
    const most = Math.min(ASKED_AT_ONCE, Math.floor(seconds * ASKED_A_SECOND));
    this.#cleaning = { done: this.remove(most), until: now + CLEANING_MS };
    return this.#cleaning.done;
  }

  /**
   * By an empty command, whose outcome gives the number of the user's connections in each object. A few objects each
   * time, in turn: what a refusal costs does not grow with the user's places.
   */
  async remove(most = ASKED_AT_ONCE): Promise<void> {
    const objects = this.#store.objects.filter((object) => object > this.#cleanedUpTo);
    const next = objects.toSorted().slice(0, most);
    this.#cleanedUpTo = next.length < most ? "" : next.at(-1)!;
    await askMany(next, this.#ask).catch(() => {});
  }
}
