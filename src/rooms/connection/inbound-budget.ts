// Budgets for all messages and bytes that arrive on connections: calls, items, cancellations, answers, pings, bytes
// that cannot be read. Calls also have a rate of their own, and each refused call is answered; a client that exceeds
// these is closed with 4429.
//
//   · All connections of a user in one object share one budget (`InboundAccounts`), so that a new connection gives no
//     new burst. A guest has one alone, and shares ten with the guests of the same network.
//   · After an account has exceeded a budget, its next connection is refused for some seconds: a flood that returns at
//     once would keep the engine busy with its input, and no other client would be served.
//   · A connection draws from its budgets in portions: most messages only cost a subtraction.
//   · Budgets are in memory: after a wake all of them are full.

import type { Limits } from "../../model/options.ts";
import { rateLimited } from "../../model/retry-after.ts";
import { accountOf, type AccountUser } from "../../model/user.ts";
import { Budget } from "../platform/budget.ts";

/** The budget of one connection. */
export interface InboundBudget {
  readonly messages: Portions;
  readonly bytes: Portions;
}

/** The part of a connection that the budgets need. */
interface Receiving {
  readonly user: AccountUser;
  inbound: InboundBudget | undefined;
  /** Of its object; undefined for a connection that is in no table. */
  readonly inboundAccounts: InboundAccounts | undefined;
}

/** The budget of all connections of an account. */
interface AccountBudget {
  readonly messages: Budget;
  readonly bytes: Budget;
  /** Until then new connections are refused, milliseconds since 1970; and the length of that pause. */
  pausedUntil: number;
  pauseMs: number;
}

/** The pause after a flood; twice as long after each further flood, up to `LONGEST_PAUSE_MS`. */
const FLOOD_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;
/** After so long without a flood, the next pause is the first one again. */
const FORGIVEN_MS = 60_000;

/** The share of a network's guests together: so many times the budget of a user, because they are many people. */
const NETWORKS_SHARE = 10;

/** Beyond so many accounts, those with full budgets and without a connection are dropped. */
const MOST_ACCOUNTS = 1_000;

/** The object's connections by account: an account with connections keeps its budget. */
interface Here {
  named(account: string): ReadonlySet<unknown>;
}

/** The budgets of all accounts in one object. */
export class InboundAccounts {
  readonly #limits: Limits;
  readonly #here: Here;
  readonly #accounts = new Map<string, AccountBudget>();
  /** The number of accounts at which full ones are dropped next. */
  #lookAt = MOST_ACCOUNTS;

  constructor(limits: Limits, here: Here) {
    this.#limits = limits;
    this.#here = here;
  }

  /** The account's budget: the same one until it is full again, also if the account has no connection meanwhile. */
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

  /** Throws `rate_limited` during the account's pause after a flood. */
  checkCalm(user: AccountUser, now = Date.now()): void {
    const account = this.#accounts.get(accountOf(user));
    if (!account) return;
    pause(account);
    const left = account.pausedUntil - now;
    // A clock that was set back must not prolong the pause.
    if (left <= 0 || left > account.pauseMs) return;
    const seconds = Math.ceil(left / 1000);
    throw rateLimited(`Too much was sent; connect again in ${seconds} s.`, seconds);
  }

  /** Drops full budgets. Runs again when the number of accounts has doubled, so that a new account costs little. */
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

/** A hub's rate of messages is at least twice its rate of calls, also if the hub raises only the latter. */
const CALLS_SHARE = 2;

interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** The rates of an account. */
export function ratesOf(limits: Limits): { readonly messages: Rate; readonly bytes: Rate } {
  const { bytesPerSecond, bytesBurst, callsPerSecond, callBurst } = limits;
  const perSecond = Math.max(limits.messagesPerSecond, callsPerSecond * CALLS_SHARE);
  const burst = Math.max(limits.messageBurst, callBurst * CALLS_SHARE);
  return {
    messages: { perSecond, burst },
    bytes: { perSecond: bytesPerSecond, burst: bytesBurst },
  };
}

/** A portion is this part of the budget's rest, so that many connections with few messages do not use all of it. */
const PORTION = 1 / 40;

/** The amount that a connection has drawn from its budgets and not spent yet. */
class Portions {
  readonly #from: readonly Budget[];
  /** If it is enough, `hub-object.ts` subtracts from it directly; otherwise it calls `spend`. */
  left = 0;

  constructor(from: readonly Budget[]) {
    this.#from = from;
  }

  /** False if a budget is exceeded. */
  spend(cost: number): boolean {
    const missing = cost - this.left;
    if (missing > 0 && !this.#draw(Math.max(missing, this.#portion))) return false;
    this.left -= cost;
    return true;
  }

  /** Called when the connection has ended: returns the unspent amount to its budgets. */
  giveBack(): void {
    for (const budget of this.#from) budget.charge(-this.left);
    this.left = 0;
  }

  /** The size of the next portion. */
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

/** Called when the connection has ended. */
export function endInbound(connection: Receiving): void {
  connection.inbound?.messages.giveBack();
  connection.inbound?.bytes.giveBack();
  connection.inbound = undefined;
}

/** Counts bytes before they are decoded. False if the connection has sent more than it may. */
export const spendBytes = (connection: Receiving, bytes: number, limits: Limits): boolean =>
  (connection.inbound ?? budgetOf(connection, limits)).bytes.spend(bytes);

/** Counts messages, at least one for a frame. False if the connection has sent more than it may. */
export const spendMessages = (connection: Receiving, count: number, limits: Limits): boolean =>
  (connection.inbound ?? budgetOf(connection, limits)).messages.spend(count || 1);
