// Whether a user's connections may be here: their account says, and is asked before one begins. What it said is known
// until a service says something else of the user, which it sends here, because this object has asked.

import { HubError } from "../../model/errors.ts";
import type { RoomSettings } from "../../model/options.ts";
import { factsOf, type TokenFacts } from "../../model/token-rules.ts";
import { formatTopic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import type { Account, Admitting } from "../rpc/room-rpc.ts";

export interface AdmissionsOptions {
  /** This object's name. */
  readonly self: string;
  readonly limits: RoomSettings["limits"];
  account(userId: string): Pick<Account, "admit">;
}

type Rate = NonNullable<Admitting["rate"]>;
/** What the account said, by token. */
type Known = Map<string, readonly string[]>;

/** Users of whom it is known; of one that is forgotten the account is asked again. */
const USERS_AT_MOST = 10_000;
/** Tokens of one user. */
const TOKENS_AT_MOST = 20;

export class Admissions {
  readonly #options: AdmissionsOptions;
  readonly #known = new Map<string, Known>();
  /** Questions under way, by user: what comes meanwhile makes their answers old. */
  readonly #asking = new Map<string, Set<{ isOld: boolean }>>();

  constructor(options: AdmissionsOptions) {
    this.#options = options;
  }

  /** A connection begins. Throws what the account throws. */
  async begin(user: User): Promise<void> {
    const { connectsPerSecond: perSecond, connectBurst: burst } = this.#options.limits;
    await this.#ask(factsOf(user), { perSecond, burst });
  }

  /** Whether another token or request is good, of somebody whose connections are counted elsewhere. */
  async check(token: TokenFacts): Promise<void> {
    await this.#groups(token);
  }

  /**
   * Rooms that services have put the user into, as topics: known since the connection began, and asked for again where
   * something was said of the user meanwhile. They are kept by the account, not beside the connection.
   */
  async given(user: User): Promise<readonly string[]> {
    const groups = await this.#groups(factsOf(user));
    return groups.map((name) => formatTopic({ kind: "group", name }));
  }

  async #groups(token: TokenFacts): Promise<readonly string[]> {
    return this.#known.get(token.id)?.get(keyOf(token)) ?? this.#ask(token);
  }

  async #ask(token: TokenFacts, rate?: Rate): Promise<readonly string[]> {
    const { self: object } = this.#options;
    const question = { isOld: false };
    const questions = this.#asking.get(token.id) ?? new Set();
    this.#asking.set(token.id, questions.add(question));
    try {
      const account = this.#options.account(token.id);
      const admitted = await account.admit({ object, token, ...(rate && { rate }) });
      if ("fault" in admitted)
        throw new HubError<string>(admitted.fault.code, admitted.fault.message);
      const { groups } = admitted;
      if (question.isOld) return this.#ask(token);
      this.#remember(token, groups);
      return groups;
    } finally {
      questions.delete(question);
      if (questions.size === 0 && this.#asking.get(token.id) === questions)
        this.#asking.delete(token.id);
    }
  }

  #remember(token: TokenFacts, groups: readonly string[]): void {
    if (this.#known.size >= USERS_AT_MOST) this.#known.clear();
    const known: Known = this.#known.get(token.id) ?? new Map();
    if (known.size >= TOKENS_AT_MOST) known.clear();
    this.#known.set(token.id, known.set(keyOf(token), groups));
  }

  /** A service has said something of the user. */
  forget(userId: string): void {
    this.#known.delete(userId);
    for (const question of this.#asking.get(userId) ?? []) question.isOld = true;
  }
}

const keyOf = ({ jti, iat }: TokenFacts): string => JSON.stringify([jti, iat]);
