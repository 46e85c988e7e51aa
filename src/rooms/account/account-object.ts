// The Durable Object that holds the accounts of several users of one tenant, because an object for each user would cost
// its creation at the user's first connection. A hash of the user's id selects the object (rpc/object-names.ts).

import { DurableObject } from "cloudflare:workers";
import { Account } from "./account.ts";
import { AccountsInMemory } from "./accounts-in-memory.ts";
import { ACCOUNT_MIGRATIONS } from "./account-migrations.ts";
import { AccountStore } from "./account-store.ts";
import { DueUsers } from "./due-users.ts";
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
import { REPLACING_ATTEMPT } from "../platform/alarm-agenda.ts";
import { ObjectStorage } from "../platform/object-storage.ts";
import { behind, PrefixedKv } from "../platform/prefixed-kv.ts";
import { LOOK_AGAIN_MS, VERSION_KEY } from "../platform/storage-version.ts";
import { HubError, publicError, serverError } from "../../model/errors.ts";
import type { TokenFacts } from "../../model/user.ts";

/** Keys of a user begin with this, the user's id and a slash: accounts cannot read each other's keys. */
const USER_PREFIX = "user/";
const prefixOf = (user: string): string => `${USER_PREFIX}${escape(user)}/`;
const userOf = (key: string): string => unescape(key.split("/", 2)[1]!);

/** A pending alarm of this user is for all users, in turn: a key for each user would cost a row for each new one. */
const EVERYBODY = "";
/** The most users of one alarm, because each may call a thousand objects. The others follow at once. */
const RUNG_AT_ONCE = 100;
/** Pause between two searches for data without a time of its end; at whole hours, like other objects. */
const [TIDY_MS, TIDY_STEP_MS] = [86_400_000, 3_600_000];

export class AccountObject<Env extends ObjectEnv = ObjectEnv> extends DurableObject<Env> {
  /** The storage, or the reason why it cannot be read. */
  #opened: ObjectStorage | HubError = this.#open();
  readonly #accounts = new AccountsInMemory((user) => this.#accountOf(user));
  /** Users whose alarm is running, and was not armed again meanwhile. */
  readonly #ringing = new Set<string>();
  /** Whether an alarm for all users is pending; undefined until this wake has read it. */
  #isTidyDue: boolean | undefined;
  /** Whether some user has data without a time of its end. */
  #isTidyAsked = false;
  /** The last user of the pass over all users, if more users follow. */
  #tidiedUpTo = "";
  readonly #due: DueUsers;
  readonly #place: Place | undefined;

  constructor(ctx: DurableObjectState, env: Env, place?: Place) {
    super(ctx, env);
    this.#place = place;
    this.#due = new DueUsers(ctx.storage, () => this.#storage.kv);
    // A fault of the storage is thrown at the first use.
    void this.#due.recover().catch(() => {});
  }

  #open(): ObjectStorage | HubError {
    try {
      return new ObjectStorage(this.ctx, ACCOUNT_MIGRATIONS);
    } catch (error) {
      if (error instanceof HubError) return error;
      return serverError("internal", "The storage could not be migrated.");
    }
  }

  /** Why the storage cannot be read, if so: tries again at each use. */
  get #fault(): HubError | undefined {
    if (this.#opened instanceof HubError) this.#opened = this.#open();
    return this.#opened instanceof HubError ? this.#opened : undefined;
  }

  /** The storage. Throws the fault: no user is admitted whose bans and revocations cannot be read. */
  get #storage(): ObjectStorage {
    const fault = this.#fault;
    if (fault) throw fault;
    return this.#opened as ObjectStorage;
  }

  /** Deletes the storage of all users of this object if it cannot be read. False if it can: nothing changes. */
  async repair(): Promise<boolean> {
    if (this.#isSound) return false;
    const deleted = Promise.all([this.ctx.storage.deleteAlarm(), this.ctx.storage.deleteAll()]);
    this.#accounts.clear();
    this.#due.forget();
    this.#isTidyDue = undefined;
    await deleted;
    this.#opened = this.#open();
    return true;
  }

  get #isSound(): boolean {
    try {
      // This call reads all keys.
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

  /** Sets the time of the user's alarm, in place of an earlier one. */
  #arm(user: string, at: number): void {
    this.#ringing.delete(user);
    this.#due.arm(user, at);
  }

  #tidyLater(): void {
    this.#isTidyAsked = true;
    this.#isTidyDue ??= this.#due.has(EVERYBODY);
    if (!this.#isTidyDue) this.#armTidy();
  }

  #armTidy(): void {
    this.#isTidyDue = true;
    this.#arm(EVERYBODY, Math.ceil((Date.now() + TIDY_MS) / TIDY_STEP_MS) * TIDY_STEP_MS);
  }

  /**
   * Runs the alarm of every due account. Its key is deleted afterwards, unless `ring` has armed the account again:
   * after a crash in between, the platform repeats the alarm, and the key shows which account is due. If no data of any
   * account is left, the storage is deleted.
   */
  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    const [fault, now] = [this.#fault, Date.now()];
    if (fault?.code === "storage_corrupt") return;
    const isLast = info !== undefined && info.retryCount >= REPLACING_ATTEMPT;
    if (fault || isLast) await this.ctx.storage.setAlarm(now + LOOK_AGAIN_MS);
    if (fault) return;
    if (isLast) await this.ctx.storage.sync();
    const due = this.#due.ring(now, RUNG_AT_ONCE);
    await Promise.all(due.map((user) => this.#ring(user, now)));
    const isSet = await this.#due.setAlarm();
    if (!isSet && !this.#hasContent) await this.#storage.deleteAll();
  }

  get #hasContent(): boolean {
    return [...this.#storage.kv.list({ limit: 2 })].some(([key]) => key !== VERSION_KEY);
  }

  async #ring(user: string, now: number): Promise<void> {
    this.#ringing.add(user);
    await (user === EVERYBODY ? this.#tidy(now) : this.#ringUser(user, now));
    if (!this.#ringing.delete(user)) return;
    this.#due.remove(user);
    if (user === EVERYBODY) this.#isTidyDue = false;
  }

  readonly #ringUser = (user: string, now: number): Promise<void> =>
    this.#accounts.use(user, (account) => account.ring(now));

  /** Runs the alarm of the next users, and again at once if there are more. Repeated after a day if data is left. */
  async #tidy(now: number): Promise<void> {
    if (this.#tidiedUpTo === "") this.#isTidyAsked = false;
    const users = this.#usersAfter(this.#tidiedUpTo);
    this.#tidiedUpTo = users.length === RUNG_AT_ONCE ? users.at(-1)! : "";
    await Promise.all(users.map((user) => this.#ringUser(user, now)));
    if (this.#tidiedUpTo !== "") this.#arm(EVERYBODY, now);
    else if (this.#isTidyAsked) this.#armTidy();
  }

  /** The next users with stored data, in order; reads one key of each. */
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
