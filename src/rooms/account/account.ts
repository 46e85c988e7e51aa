// One user of a tenant, in all hubs: admits or refuses the user's connections, and lists the objects that hold some, so
// that a service's command to a user reaches all of them. Promises:
//
//   · An object is saved before `admit` admits a connection there: no connection is missed by a later command.
//   · A revocation or ban is saved first, then applied in every such object. If one cannot be reached, an alarm repeats
//     it every second until each object has applied it; `admit` and `check` refuse the token at once.
//   · Rules are applied at least once, and applying them twice changes nothing.
//   · Commands (`command`, groups of connected users) are tried once, with one retry; failures are the caller's.

import { CLOSE, publicError } from "../../model/errors.ts";
import { logWarning } from "../../model/logger.ts";
import type { TokenFacts } from "../../model/user.ts";
import { AccountCleaning } from "./account-cleaning.ts";
import { AccountGroups } from "./account-groups.ts";
import { OBJECTS_AT_MOST, type AccountStore } from "./account-store.ts";
import { hubOf, type RoomStubs } from "../rpc/object-names.ts";
import type { Command, CommandOutcome, Selection } from "../rpc/command.ts";
import type {
  AdmissionReply,
  AdmissionRequest,
  AdmittedRooms,
  Revocation,
} from "../rpc/account-rpc.ts";
import type { Fault } from "../rpc/fault.ts";
import { KeyedBuckets } from "../platform/rates.ts";
import { askMany } from "../rpc/ask-many.ts";

/** With so many objects an account is cleaned in the background, so that no connection has to wait for it. */
const NEARLY_FULL = OBJECTS_AT_MOST * 0.9;
/** The most different rates of connects; few hubs have limits of their own. */
const RATES_AT_MOST = 50;
/** Pause before rules are applied again in objects that could not be reached. */
const RETRY_MS = 1_000;

interface AccountOptions {
  readonly user: string;
  readonly store: AccountStore;
  /** Fresh stubs of rooms and relays. */
  stubs(): RoomStubs;
  /** Requests a call of `ring` at `at`, milliseconds since 1970, also after crashes. */
  arm(at: number): void;
  /** Keeps the account in memory until the work has settled. */
  inBackground(work: Promise<unknown>): void;
  /** Requests a call of `ring` within about a day, for data without a time of its end (`needsTidying`). */
  tidyLater(): void;
}

export class Account {
  readonly #options: AccountOptions;
  readonly #store: AccountStore;
  /** Rates of connects. Hubs with equal limits share one, so that a strict hub does not slow others. */
  #rates: KeyedBuckets | undefined;
  /**
   * Number of `admit` calls by each object in this wake. An object without connections after a command is removed,
   * unless it has called `admit` meanwhile, and may hold one by now.
   */
  readonly #admissionCounts = new Map<string, number>();
  #cleaning: AccountCleaning | undefined;
  readonly groups: AccountGroups;

  constructor(options: AccountOptions) {
    this.#options = options;
    this.#store = options.store;
    this.groups = new AccountGroups({
      store: options.store,
      arm: () => this.#armAlarm(),
      tidyLater: () => options.tidyLater(),
      command: (...command) => this.command(...command),
    });
  }

  /**
   * Called by an object before it admits a connection of this user; from then on the object is listed as a holder.
   * Resolves with the rooms of the connection, or the refusal: `banned`, `token_revoked`, `rate_limited` or
   * `too_many_connections`.
   */
  async admit({ object, token, rate }: AdmissionRequest): Promise<AdmissionReply> {
    const now = Date.now();
    const fault =
      this.#faultOf(token, now) ??
      this.#rateFaultOf(rate, now) ??
      (this.#addObject(object, now) ? undefined : await this.#addOnceClean(object, token, now));
    return fault ? { fault } : this.#belongingsIn(hubOf(object), now);
  }

  #belongingsIn(hub: string, now: number): AdmittedRooms {
    const usesRoom = this.#store.roomUse(hub) !== undefined;
    return { groups: this.#store.groups(hub, now), ...(usesRoom && { usesRoom }) };
  }

  /** Checks a token without a new connection. Undefined if it is valid; else `banned` or `token_revoked`. */
  async check(token: TokenFacts): Promise<Fault | undefined> {
    return this.#faultOf(token, Date.now());
  }

  #faultOf(token: TokenFacts, now: number): Fault | undefined {
    const ban = this.#store.ban(now);
    if (ban) return { code: "banned", message: banText(ban) };
    const isRevoked = this.#store.isRevoked(token, now);
    return isRevoked ? { code: "token_revoked", message: "The token was revoked." } : undefined;
  }

  #rateFaultOf(rate: AdmissionRequest["rate"], now: number): Fault | undefined {
    if (!rate) return undefined;
    const { perSecond, burst } = rate;
    this.#rates ??= new KeyedBuckets(RATES_AT_MOST);
    if (this.#rates.of(`${perSecond}/${burst}`, perSecond, burst).take(now)) return undefined;
    const message = `${perSecond} connections a second are allowed (limits.connectsPerSecond).`;
    return { code: "rate_limited", message, retryAfter: Math.ceil(1 / perSecond) };
  }

  /** Lists the object as a holder. False if the account is full. */
  #addObject(object: string, now: number): boolean {
    const store = this.#store;
    if (!store.hasObject(object)) {
      if (store.objectCount >= NEARLY_FULL)
        this.#options.inBackground(this.#emptyObjects.removeSome(now));
      if (store.objectCount >= OBJECTS_AT_MOST) return false;
      store.addObject(object);
      this.#options.tidyLater();
    }
    this.#admissionCounts.set(object, (this.#admissionCounts.get(object) ?? 0) + 1);
    return true;
  }

  async #addOnceClean(object: string, token: TokenFacts, now: number): Promise<Fault | undefined> {
    await this.#emptyObjects.removeSome(now);
    const full = { code: "too_many_connections", message: `${OBJECTS_AT_MOST} rooms at most.` };
    // Checked again: a revocation meanwhile was not applied in this object, which was not listed yet.
    return this.#faultOf(token, now) ?? (this.#addObject(object, now) ? undefined : full);
  }

  get #emptyObjects(): AccountCleaning {
    return (this.#cleaning ??= new AccountCleaning(this.#store, (object) =>
      this.#command(object, {}, []),
    ));
  }

  async #command(object: string, selection: Selection, commands: readonly Command[]) {
    const ofUser = { ...selection, user: this.#options.user };
    const admissions = this.#admissionCounts.get(object);
    const outcome = await this.#options.stubs()(object).command(ofUser, commands);
    const hasAskedAgain = this.#admissionCounts.get(object) !== admissions;
    if (outcome.present === 0 && !hasAskedAgain) this.#removeObject(object);
    return outcome;
  }

  #removeObject(object: string): void {
    this.#store.removeObject(object);
    this.#admissionCounts.delete(object);
  }

  /**
   * Runs commands on this user's connections of one hub; resolves with the number of selected connections. Rejects
   * after all calls: with `unavailable` if an object could not be reached, else with the first failure.
   */
  async command(hub: string, selection: Selection, commands: readonly Command[]): Promise<number> {
    const objects = this.#store.objects.filter((object) => hubOf(object) === hub);
    const outcomes = await askMany<CommandOutcome>(objects, (object) =>
      this.#command(object, selection, commands),
    );
    return outcomes.reduce((sum, { matched }) => sum + matched, 0);
  }

  /**
   * Revokes tokens: without `jti` and `before` all that were issued until now. Resolves when connections with such
   * tokens are closed; an alarm repeats it in objects that could not be reached. Throws `too_large` if too many tokens
   * are revoked.
   */
  async revoke({ jti, before, until }: Revocation): Promise<void> {
    const now = Date.now();
    if (jti !== undefined) this.#store.revokeToken(jti, until, now);
    const all = jti === undefined ? Math.floor(now / 1000) + 1 : undefined;
    const time = before ?? all;
    if (time !== undefined) this.#store.revokeBefore(time, until);
    await this.#applyRules();
  }

  /** Refuses and closes all connections of the user. Resolves like `revoke`. */
  async ban(seconds: number, reason?: string): Promise<void> {
    this.#store.setBan(Date.now() + seconds * 1000, reason);
    await this.#applyRules();
  }

  async unban(): Promise<void> {
    this.#store.liftBan();
    this.#armAlarm();
  }

  /** Closes connections whose tokens the rules revoke, in the objects that have not applied the newest version. */
  async #applyRules(): Promise<void> {
    const { rulesVersion } = this.#store;
    const tokens = this.#store.rules(Date.now());
    const ban = this.#store.ban(Date.now());
    const close: Command = ban
      ? { type: "close", why: CLOSE.banned, reason: banText(ban) }
      : { type: "close", why: CLOSE.revoked };
    await askMany(this.#store.outdatedObjects, async (object) => {
      await this.#command(object, { tokens }, [close]);
      // The command has removed the object if it holds no connection any more.
      if (this.#store.hasObject(object)) this.#store.setObjectVersion(object, rulesVersion);
    }).catch((error: unknown) =>
      logWarning("revocation_untold", { code: publicError(error).code }),
    );
    this.#armAlarm();
  }

  #armAlarm(): void {
    const soon = Date.now() + RETRY_MS;
    const retry = this.#store.outdatedObjects.length > 0 ? soon : Infinity;
    const next = Math.min(retry, Math.max(soon, this.#store.nextExpiry));
    if (next < Infinity) this.#options.arm(next);
    if (this.#store.needsTidying) this.#options.tidyLater();
  }

  /**
   * The account's alarm: ends expired memberships and rules, removes empty objects, and applies rules in objects where
   * that has failed. May be repeated.
   */
  async ring(now: number): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- few expire at once, and each calls every object
    for (const { hub, group } of this.#store.expire(now))
      await this.#endMembership(hub, group, now);
    if (this.#store.outdatedObjects.length === 0) await this.#emptyObjects.removeNext();
    this.#store.tidy();
    await this.#applyRules();
  }

  /**
   * If an object could not be reached, the membership stays for the next alarm. Other failures end it nevertheless.
   */
  async #endMembership(hub: string, group: string, now: number): Promise<void> {
    try {
      await this.command(hub, {}, [{ type: "leave", room: `group:${group}` }]);
    } catch (error) {
      const { code } = publicError(error);
      logWarning("membership_untold", { hub, group, code });
      if (code === "unavailable") return;
    }
    this.#store.expireGroup(hub, group, now);
  }
}

/** The text of a ban, the same on open connections, for later ones, and in webhooks. */
const banText = ({ reason }: { readonly reason?: string }): string =>
  reason ? `This user is banned: ${reason}` : "This user is banned for a time.";
