// The Durable Object that holds the accounts of several users of one tenant. An object for each user would be created
// by that user's first connection, and each object created costs. A hash of the user's id chooses it
// (rpc/object-names.ts).

import { DurableObject } from "cloudflare:workers";
import { Account } from "./account.ts";
import { AccountsInMemory } from "./accounts-in-memory.ts";
import { ACCOUNT_MIGRATIONS } from "./account-migrations.ts";
import { AccountStore } from "./account-store.ts";
import { escape, roomStubs, unescape } from "../rpc/object-names.ts";
import { objectsOf, type Place } from "../rpc/place.ts";
import type {
  AccountRpc,
  AdmissionReply,
  AdmissionRequest,
  Revocation,
} from "../rpc/account-rpc.ts";
import type { Fault } from "../rpc/fault.ts";
import type { ObjectEnv } from "../rpc/object-env.ts";
import { ObjectStorage } from "../platform/object-storage.ts";
import { behind, PrefixedKv } from "../platform/prefixed-kv.ts";
import { LOOK_AGAIN_MS, VERSION_KEY } from "../platform/storage-version.ts";
import { HubError, publicError, serverError } from "../../model/errors.ts";
import type { TokenFacts } from "../../model/user.ts";

/** Keys of a user begin with it, the user's id and a slash: accounts cannot read each other's. */
const USER_PREFIX = "user/";
const prefixOf = (user: string): string => `${USER_PREFIX}${escape(user)}/`;
/** The user that a key belongs to. */
const userOf = (key: string): string => unescape(key.split("/", 2)[1]!);

/** Keys of pending alarms, by user. */
const DUE_PREFIX = "due/";
/** In place of a user: all of them are rung, one after another. Their own keys would be a row for each new user. */
const EVERYBODY = "";
/** Users rung by one alarm: each may call a thousand objects. The others follow at once. */
const RUNG_AT_ONCE = 100;
/** Pause between two looks for what has ended without a time of its end; at whole hours, as other objects do. */
const [TIDY_MS, TIDY_STEP_MS] = [86_400_000, 3_600_000];

export class AccountObject<Env extends ObjectEnv = ObjectEnv> extends DurableObject<Env> {
  /** Or why it cannot be read. */
  #opened: ObjectStorage | HubError = this.#open();
  readonly #accounts = new AccountsInMemory((user) => this.#accountOf(user));
  /** Users whose account is being rung, and was not armed again meanwhile. */
  readonly #ringing = new Set<string>();
  /** Whether everybody will be rung; undefined until this wake has looked. */
  #isTidyDue: boolean | undefined;
  /** Somebody keeps something that has no time of its end. */
  #isTidyAsked = false;
  /** Users up to this one were rung, where more are to follow. */
  #tidiedUpTo = "";
  /** When the alarm is set for; undefined until this wake has set it. */
  #alarmAt: number | undefined;
  readonly #place: Place | undefined;

  constructor(ctx: DurableObjectState, env: Env, place?: Place) {
    super(ctx, env);
    this.#place = place;
  }

  #open(): ObjectStorage | HubError {
    try {
      return new ObjectStorage(this.ctx, ACCOUNT_MIGRATIONS);
    } catch (error) {
      if (error instanceof HubError) return error;
      return serverError("internal", "The storage could not be migrated.");
    }
  }

  /** Why the storage cannot be read, if it still cannot: tries once more at each use. */
  get #fault(): HubError | undefined {
    if (this.#opened instanceof HubError) this.#opened = this.#open();
    return this.#opened instanceof HubError ? this.#opened : undefined;
  }

  /** Throws the fault: nobody is admitted whose bans and revocations cannot be read. */
  get #storage(): ObjectStorage {
    const fault = this.#fault;
    if (fault) throw fault;
    return this.#opened as ObjectStorage;
  }

  /** Deletes what cannot be read, of all users of this object. False where everything can be read: nothing changes. */
  async repair(): Promise<boolean> {
    if (this.#isSound) return false;
    const deleted = Promise.all([this.ctx.storage.deleteAlarm(), this.ctx.storage.deleteAll()]);
    this.#accounts.clear();
    [this.#alarmAt, this.#isTidyDue] = [undefined, undefined];
    await deleted;
    this.#opened = this.#open();
    return true;
  }

  get #isSound(): boolean {
    try {
      // All keys are read in this call.
      this.#storage.kv.list();
      return true;
    } catch (error) {
      if (publicError(error).code !== "storage_corrupt") throw error;
      return false;
    }
  }

  #accountOf(user: string): Account {
    return new Account({
      ...{ user, store: new AccountStore(new PrefixedKv(this.#storage.kv, prefixOf(user))) },
      stubs: () => roomStubs(objectsOf({ env: this.env, place: this.#place })),
      arm: (at) => this.#arm(user, at),
      tidyLater: () => this.#tidyLater(),
      inBackground: (work) => void this.#accounts.use(user, () => work),
    });
  }

  /**
   * Sets when the user's account is rung; replaces an earlier time. The object's one alarm is set for the first of all.
   */
  #arm(user: string, at: number): void {
    this.#ringing.delete(user);
    this.#storage.kv.put(DUE_PREFIX + user, at);
    if (at >= (this.#alarmAt ?? Infinity)) return;
    this.#alarmAt = Math.min(at, this.#alarmAt ?? this.#firstAlarm);
    void this.ctx.storage.setAlarm(this.#alarmAt);
  }

  #tidyLater(): void {
    this.#isTidyAsked = true;
    this.#isTidyDue ??= this.#storage.kv.get(DUE_PREFIX + EVERYBODY) !== undefined;
    if (!this.#isTidyDue) this.#armTidy();
  }

  #armTidy(): void {
    this.#isTidyDue = true;
    this.#arm(EVERYBODY, Math.ceil((Date.now() + TIDY_MS) / TIDY_STEP_MS) * TIDY_STEP_MS);
  }

  get #firstAlarm(): number {
    return this.#alarms.reduce((first, [, at]) => Math.min(first, at), Infinity);
  }

  get #alarms(): [user: string, at: number][] {
    const all = [...this.#storage.kv.list<number>({ prefix: DUE_PREFIX })];
    return all.map(([key, at]) => [key.slice(DUE_PREFIX.length), at]);
  }

  /**
   * Rings every account that is due. Its key is deleted afterwards, unless `ring` has armed the account again: after a
   * crash in between, the platform repeats the alarm, and the key says whom it is for. Where nothing of any account is
   * left, the storage is deleted.
   */
  override async alarm(): Promise<void> {
    const [fault, now] = [this.#fault, Date.now()];
    if (fault?.code === "storage_corrupt") return;
    if (fault) return this.ctx.storage.setAlarm(now + LOOK_AGAIN_MS);
    this.#alarmAt = undefined;
    const due = this.#alarms.filter(([, at]) => at <= now).slice(0, RUNG_AT_ONCE);
    await Promise.all(due.map(([user]) => this.#ring(user, now)));
    const next = this.#firstAlarm;
    if (next < Infinity) return this.ctx.storage.setAlarm((this.#alarmAt = next));
    if (!this.#hasContent) await this.#storage.deleteAll();
  }

  get #hasContent(): boolean {
    return [...this.#storage.kv.list({ limit: 2 })].some(([key]) => key !== VERSION_KEY);
  }

  async #ring(user: string, now: number): Promise<void> {
    this.#ringing.add(user);
    await (user === EVERYBODY ? this.#tidy(now) : this.#ringUser(user, now));
    if (!this.#ringing.delete(user)) return;
    this.#storage.kv.delete(DUE_PREFIX + user);
    if (user === EVERYBODY) this.#isTidyDue = false;
  }

  readonly #ringUser = (user: string, now: number): Promise<void> =>
    this.#accounts.use(user, (account) => account.ring(now));

  /** Rings the next users, and again at once where there are more. A user with facts is due again after a day. */
  async #tidy(now: number): Promise<void> {
    if (this.#tidiedUpTo === "") this.#isTidyAsked = false;
    const users = this.#usersAfter(this.#tidiedUpTo);
    this.#tidiedUpTo = users.length === RUNG_AT_ONCE ? users.at(-1)! : "";
    await Promise.all(users.map((user) => this.#ringUser(user, now)));
    if (this.#tidiedUpTo !== "") this.#arm(EVERYBODY, now);
    else if (this.#isTidyAsked) this.#armTidy();
  }

  /** Users of whom something is stored, in order: a look-up for each, however much it is. */
  #usersAfter(user: string): string[] {
    const users: string[] = [];
    let start = user === "" ? USER_PREFIX : behind(prefixOf(user));
    while (users.length < RUNG_AT_ONCE) {
      const [first] = this.#storage.kv.list({ prefix: USER_PREFIX, start, limit: 1 });
      if (!first) break;
      const next = userOf(first[0]);
      users.push(next);
      start = behind(prefixOf(next));
    }
    return users;
  }

  async admit(user: string, request: AdmissionRequest): Promise<AdmissionReply> {
    return this.#accounts.use(user, (account) => account.admit(request));
  }

  async check(user: string, token: TokenFacts): Promise<Fault | undefined> {
    return this.#accounts.use(user, (account) => account.check(token));
  }

  async command(user: string, ...args: Parameters<AccountRpc["command"]>): Promise<number> {
    return this.#accounts.use(user, (account) => account.command(...args));
  }

  async revoke(user: string, revocation: Revocation): Promise<void> {
    return this.#accounts.use(user, (account) => account.revoke(revocation));
  }

  async ban(user: string, seconds: number, reason?: string): Promise<void> {
    return this.#accounts.use(user, (account) => account.ban(seconds, reason));
  }

  async unban(user: string): Promise<void> {
    return this.#accounts.use(user, (account) => account.unban());
  }

  async addToGroup(user: string, ...args: Parameters<AccountRpc["addToGroup"]>): Promise<void> {
    return this.#accounts.use(user, (account) => account.groups.add(...args));
  }

  async removeFromGroup(user: string, hub: string, group: string): Promise<void> {
    return this.#accounts.use(user, (account) => account.groups.remove(hub, group));
  }

  async removeFromAllGroups(user: string, hub: string): Promise<void> {
    return this.#accounts.use(user, (account) => account.groups.removeAll(hub));
  }

  async isInGroup(user: string, hub: string, group: string): Promise<boolean> {
    return this.#accounts.use(user, (account) => account.groups.has(hub, group));
  }

  async useRoom(user: string, ...use: Parameters<AccountRpc["useRoom"]>): Promise<boolean> {
    return this.#accounts.use(user, (account) => account.groups.useRoom(...use));
  }

  async disuseRoom(user: string, ...use: Parameters<AccountRpc["disuseRoom"]>): Promise<void> {
    return this.#accounts.use(user, (account) => account.groups.disuseRoom(...use));
  }
}
