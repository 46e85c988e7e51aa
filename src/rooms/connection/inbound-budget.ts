// Budgets for all that arrives on connections, whatever it is: calls, items, cancellations, answers, pings, bytes that
// no protocol knows. Calls have a rate of their own beside them, with an answer for each that is refused; a client that
// exceeds these is closed with 4429.
//
//   · All connections of a user in one object share one budget (`InboundAccounts`), so that closing and coming back
//     gives nothing. A guest has one alone, and shares ten with the guests of the same network.
//   · Where an account has exceeded one, its next connection is refused for some seconds: a flood that comes back at
//     once keeps the engine busy with its input, and no other client is served.
//   · A connection draws from them in portions: most messages are paid by a subtraction.
//   · In memory: after a wake all of them are full.

import type { Limits } from "../../model/options.ts";
import { rateLimited } from "../../model/retry-after.ts";
import { accountOf, type AccountUser } from "../../model/user.ts";
import { Budget } from "../platform/budget.ts";

/** The budget of one connection. */
export interface InboundBudget {
  readonly messages: Portions;
  readonly bytes: Portions;
}

/** The part of a connection that keeps it. */
interface Receiving {
  readonly user: AccountUser;
  inbound: InboundBudget | undefined;
  /** Of its object; undefined for a connection that is in no table. */
  readonly inboundAccounts: InboundAccounts | undefined;
}

/** Of all connections of an account. */
interface AccountBudget {
  readonly messages: Budget;
  readonly bytes: Budget;
  /** Until then it may not connect, milliseconds since 1970; and how long that pause is. */
  pausedUntil: number;
  pauseMs: number;
}

/** After an account has sent more than it may; twice as long after the next flood, up to … */
const FLOOD_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;
/** … and from the beginning again once it has been calm for so long. */
const FORGIVEN_MS = 60_000;

/** How much more the guests of one network may send together: they are many people. */
const NETWORKS_SHARE = 10;

/** Accounts that are remembered in any case; beyond it those without a connection that have sent nothing lately go. */
const MOST_ACCOUNTS = 1_000;

/** Connections by account: as long as it has one here, its budget stays the same. */
interface Here {
  named(account: string): ReadonlySet<unknown>;
}

/** Of one object. */
export class InboundAccounts {
  readonly #limits: Limits;
  readonly #here: Here;
  readonly #accounts = new Map<string, AccountBudget>();
  /** How many accounts there are when they are looked through the next time. */
  #lookAt = MOST_ACCOUNTS;

  constructor(limits: Limits, here: Here) {
    this.#limits = limits;
    this.#here = here;
  }

  /** The same one until it is full again, also where the account has no connection meanwhile. */
  of(user: AccountUser): AccountBudget {
    const name = accountOf(user);
    let account = this.#accounts.get(name);
    if (account) return account;
    if (this.#accounts.size >= this.#lookAt) this.#dropFull(Date.now());
    const share = user.guestFrom === undefined ? 1 : NETWORKS_SHARE;
    const { messages, bytes } = ratesOf(this.#limits);
    account = {
      messages: new Budget(messages.perSecond * share, messages.burst * share),
      bytes: new Budget(bytes.perSecond * share, bytes.burst * share),
      ...{ pausedUntil: -Infinity, pauseMs: 0 },
    };
    this.#accounts.set(name, account);
    return account;
  }

  /** Throws `rate_limited` where a flood of the account has just ended. */
  checkCalm(user: AccountUser, now = Date.now()): void {
    const account = this.#accounts.get(accountOf(user));
    if (!account) return;
    pause(account);
    const left = account.pausedUntil - now;
    // A clock that was set back refuses nobody for longer.
    if (left <= 0 || left > account.pauseMs) return;
    const seconds = Math.ceil(left / 1000);
    throw rateLimited(`Too much was sent; connect again in ${seconds} s.`, seconds);
  }

  /** All are looked at once their number has doubled: so many as are left cost nothing for each that comes. */
  #dropFull(now: number): void {
    for (const [name, { messages, bytes }] of this.#accounts)
      if (messages.isFull(now) && bytes.isFull(now) && this.#here.named(name).size === 0)
        this.#accounts.delete(name);
    this.#lookAt = Math.max(MOST_ACCOUNTS, this.#accounts.size * 2);
  }
}

/** Frames on connections that are still open belong to the same flood, and restart its pause. */
function pause(account: AccountBudget): void {
  const { messages, bytes, pausedUntil, pauseMs } = account;
  const floodedAt = Math.max(messages.refusedAt, bytes.refusedAt);
  if (floodedAt >= pausedUntil && floodedAt > -Infinity) {
    const isAgain = floodedAt - pausedUntil < FORGIVEN_MS;
    account.pauseMs = isAgain ? Math.min(pauseMs * 2, LONGEST_PAUSE_MS) : FLOOD_PAUSE_MS;
  }
  account.pausedUntil = floodedAt + account.pauseMs;
}

/** Messages are at least as many as calls: a hub that allows more calls need not allow messages as well. */
const CALLS_SHARE = 2;

interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** The budget of an account. */
export function ratesOf(limits: Limits): { readonly messages: Rate; readonly bytes: Rate } {
  const { bytesPerSecond, bytesBurst, callsPerSecond, callBurst } = limits;
  const perSecond = Math.max(limits.messagesPerSecond, callsPerSecond * CALLS_SHARE);
  const burst = Math.max(limits.messageBurst, callBurst * CALLS_SHARE);
  return {
    messages: { perSecond, burst },
    bytes: { perSecond: bytesPerSecond, burst: bytesBurst },
  };
}

/** A connection takes this part of what is left at a time: many that say little leave enough for the next one. */
const PORTION = 1 / 40;

/** The amount that a connection has drawn from its budgets, and not spent yet. */
class Portions {
  readonly #from: readonly Budget[];
  /** Where it is enough, the path of every message takes from it directly; `spend` otherwise. */
  left = 0;

  constructor(from: readonly Budget[]) {
    this.#from = from;
  }

  /** False where a budget is exceeded. */
  spend(cost: number): boolean {
    const missing = cost - this.left;
    if (missing > 0 && !this.#draw(Math.max(missing, this.#portion))) return false;
    this.left -= cost;
    return true;
  }

  /** The connection has ended: its account may spend what it has not. */
  giveBack(): void {
    for (const budget of this.#from) budget.charge(-this.left);
    this.left = 0;
  }

  /** No more than each budget has. */
  get #portion(): number {
    return Math.floor(Math.min(...this.#from.map(({ left }) => left)) * PORTION);
  }

  #draw(amount: number): boolean {
    const spent = this.#from.filter((budget) => budget.spend(amount));
    if (spent.length === this.#from.length) this.left += amount;
    else for (const budget of spent) budget.charge(-amount);
    return spent.length === this.#from.length;
  }
}

function budgetOf(connection: Receiving, limits: Limits): InboundBudget {
  const { inboundAccounts, user } = connection;
  const account = inboundAccounts?.of(user);
  const isAlone = !account || user.guestFrom !== undefined;
  const { messages, bytes } = ratesOf(limits);
  const portions = ({ perSecond, burst }: Rate, shared: Budget | undefined): Portions => {
    const own = isAlone ? [new Budget(perSecond, burst)] : [];
    return new Portions(shared ? [...own, shared] : own);
  };
  return (connection.inbound ??= {
    messages: portions(messages, account?.messages),
    bytes: portions(bytes, account?.bytes),
  });
}

/** The connection has ended. */
export function endInbound(connection: Receiving): void {
  connection.inbound?.messages.giveBack();
  connection.inbound?.bytes.giveBack();
  connection.inbound = undefined;
}

/** False where the connection has sent more bytes than it may. Counted before they are decoded. */
export const spendBytes = (connection: Receiving, bytes: number, limits: Limits): boolean =>
  (connection.inbound ?? budgetOf(connection, limits)).bytes.spend(bytes);

/** False where the connection has sent more messages than it may. A frame counts as one at least. */
export const spendMessages = (connection: Receiving, count: number, limits: Limits): boolean =>
  (connection.inbound ?? budgetOf(connection, limits)).messages.spend(count || 1);
