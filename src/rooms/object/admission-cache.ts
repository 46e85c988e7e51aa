// Admission of users' connections in this object, by the users' accounts (account/account.ts). The account is called
// before a connection begins. Its answer is cached until a service changes something about the user: the account sends
// such a command to every object that has called `admit`.

import { HubError } from "../../model/errors.ts";
import type { RoomSettings } from "../../model/options.ts";
import { formatTopic } from "../../model/topic.ts";
import { factsOf, type TokenFacts, type User } from "../../model/user.ts";
import type { AccountRpc, AdmissionRequest } from "../rpc/account-rpc.ts";

interface AdmissionCacheOptions {
  /** This object's name. */
  readonly self: string;
  readonly limits: RoomSettings["limits"];
  /** A user's account, or one of guests. */
  account(name: string): Pick<AccountRpc, "admit">;
}

type Rate = NonNullable<AdmissionRequest["rate"]>;
/** Groups of a user, by token. */
type GroupsByToken = Map<string, readonly string[]>;

/** Users whose answers are cached. Beyond it the cache is cleared, and their accounts are called again. */
const USERS_AT_MOST = 10_000;
/** Tokens of one user. */
const TOKENS_AT_MOST = 20;

export class AdmissionCache {
  readonly #options: AdmissionCacheOptions;
  /** By account, as requests are. */
  readonly #groups = new Map<string, GroupsByToken>();
  /** Requests under way: a change that comes meanwhile makes their answers stale. */
  readonly #requests = new Map<string, Set<{ isStale: boolean }>>();

  constructor(options: AdmissionCacheOptions) {
    this.#options = options;
  }

  /** A connection begins. Throws `banned`, `token_revoked`, `rate_limited` or `too_many_connections`. */
  async begin(user: User): Promise<void> {
    const { connectsPerSecond: perSecond, connectBurst: burst } = this.#options.limits;
    await this.#ask(factsOf(user), { perSecond, burst });
  }

  /** Whether another token or request of the user is good, where no connection begins. Throws as `begin` does. */
  async check(token: TokenFacts): Promise<void> {
    await this.#groupsBy(token);
  }

  /**
   * Rooms that services have put the user into, as topics: kept since the connection began, and asked for again where a
   * service has changed something meanwhile. The account has them, not the connection.
   */
  async groupsOf(user: User): Promise<readonly string[]> {
    const groups = await this.#groupsBy(factsOf(user));
    return groups.map((name) => formatTopic({ kind: "group", name }));
  }

  async #groupsBy(token: TokenFacts): Promise<readonly string[]> {
    return this.#groups.get(accountIn(token))?.get(keyOf(token)) ?? this.#ask(token);
  }

  async #ask(token: TokenFacts, rate?: Rate): Promise<readonly string[]> {
    const { self: object } = this.#options;
    const name = accountIn(token);
    const request = { isStale: false };
    const requests = this.#requests.get(name) ?? new Set();
    this.#requests.set(name, requests.add(request));
    try {
      const account = this.#options.account(name);
      const reply = await account.admit({ object, token, ...(rate && { rate }) });
      if ("fault" in reply) throw new HubError<string>(reply.fault.code, reply.fault.message);
      const { groups } = reply;
      if (request.isStale) return this.#ask(token);
      this.#remember(token, groups);
      return groups;
    } finally {
      requests.delete(request);
      if (requests.size === 0 && this.#requests.get(name) === requests) this.#requests.delete(name);
    }
  }

  #remember(token: TokenFacts, groups: readonly string[]): void {
    if (this.#groups.size >= USERS_AT_MOST) this.#groups.clear();
    const name = accountIn(token);
    const byToken: GroupsByToken = this.#groups.get(name) ?? new Map();
    if (byToken.size >= TOKENS_AT_MOST) byToken.clear();
    this.#groups.set(name, byToken.set(keyOf(token), groups));
  }

  /** A service has changed something about the user. Answers to calls that are under way are not cached. */
  forget(account: string): void {
    this.#groups.delete(account);
    for (const request of this.#requests.get(account) ?? []) request.isStale = true;
  }
}

const accountIn = ({ id, account = id }: TokenFacts): string => account;

const keyOf = ({ jti, iat }: TokenFacts): string => JSON.stringify([jti, iat]);
