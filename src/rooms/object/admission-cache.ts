// Admission of users' connections in this object, by the users' accounts (account/account.ts). The account is called
// before a connection begins. Its answer is cached until a service changes the user's bans, revocations or groups: the
// account sends such a command to every object that has called `admit`.

import type { RoomSettings } from "../../model/options.ts";
import { formatTopic } from "../../model/topic.ts";
import { factsOf, type TokenFacts, type User } from "../../model/user.ts";
import type { AccountRpc, AdmissionRequest, AdmittedRooms } from "../rpc/account-rpc.ts";
import { errorOf } from "../rpc/fault.ts";
import { retryOnce } from "../rpc/retry-once.ts";

interface AdmissionCacheOptions {
  /** This object's name. */
  readonly self: string;
  readonly limits: RoomSettings["limits"];
  /** A user's account, or one of guests. */
  account(name: string): Pick<AccountRpc, "admit">;
}

type Rate = NonNullable<AdmissionRequest["rate"]>;
/** The account's answers about one user, by token. */
type ByToken = Map<string, AdmittedRooms>;

/** The most users whose answers are cached. Beyond it the cache is cleared, and accounts are called again. */
const USERS_AT_MOST = 10_000;
/** The most tokens of one user. */
const TOKENS_AT_MOST = 20;

export class AdmissionCache {
  readonly #options: AdmissionCacheOptions;
  /** By account name, like `#requests`. */
  readonly #answers = new Map<string, ByToken>();
  /** Requests under way: a change that comes meanwhile makes their answers stale. */
  readonly #requests = new Map<string, Set<{ isStale: boolean }>>();

  constructor(options: AdmissionCacheOptions) {
    this.#options = options;
  }

  /** Admits a new connection. Throws `banned`, `token_revoked`, `rate_limited` or `too_many_connections`. */
  async begin(user: User): Promise<void> {
    const { connectsPerSecond: perSecond, connectBurst: burst } = this.#options.limits;
    await this.#ask(factsOf(user), { perSecond, burst });
  }

  /** Checks another token or request of the user, without a new connection. Throws like `begin`. */
  async check(token: TokenFacts): Promise<void> {
    await this.belongingsOf(token);
  }

  /**
   * The account's answer about a user, from the cache or by a new request. Connections hold no copy of it, so that a
   * change applies to all of them.
   */
  async belongingsOf(token: TokenFacts): Promise<AdmittedRooms> {
    return this.#answers.get(accountIn(token))?.get(keyOf(token)) ?? this.#ask(token);
  }

  async #ask(token: TokenFacts, rate?: Rate): Promise<AdmittedRooms> {
    const { self: object } = this.#options;
    const name = accountIn(token);
    const request = { isStale: false };
    const requests = this.#requests.get(name) ?? new Set();
    this.#requests.set(name, requests.add(request));
    try {
      const { account } = this.#options;
      // The account may have listed this object before its answer was lost: listing it again changes nothing.
      const reply = await retryOnce(() =>
        account(name).admit({ object, token, ...(rate && { rate }) }),
      );
      if ("fault" in reply) throw errorOf(reply.fault);
      if (request.isStale) return this.#ask(token);
      this.#remember(token, reply);
      return reply;
    } finally {
      requests.delete(request);
      if (requests.size === 0 && this.#requests.get(name) === requests) this.#requests.delete(name);
    }
  }

  #remember(token: TokenFacts, answer: AdmittedRooms): void {
    if (this.#answers.size >= USERS_AT_MOST) this.#answers.clear();
    const name = accountIn(token);
    const byToken: ByToken = this.#answers.get(name) ?? new Map();
    if (byToken.size >= TOKENS_AT_MOST) byToken.clear();
    this.#answers.set(name, byToken.set(keyOf(token), answer));
  }

  /** Called when a service has changed the user's account. Answers to calls under way are not cached. */
  forget(account: string): void {
    this.#answers.delete(account);
    for (const request of this.#requests.get(account) ?? []) request.isStale = true;
  }
}

/** Groups as topics in text form. */
export const topicsOf = (groups: readonly string[]): string[] =>
  groups.map((name) => formatTopic({ kind: "group", name }));

const accountIn = ({ id, account = id }: TokenFacts): string => account;

const keyOf = ({ jti, iat }: TokenFacts): string => JSON.stringify([jti, iat]);
