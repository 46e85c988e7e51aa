// The Durable Object that holds the accounts of several users of one tenant. An object for each user would be created
// by that user's first connection, and each object created costs. A hash of the user's id chooses it
// (rpc/object-names.ts).

import { DurableObject } from "cloudflare:workers";
import { Account } from "./account.ts";
import { ACCOUNT_MIGRATIONS } from "./account-migrations.ts";
import { AccountStore } from "./account-store.ts";
import { roomStubs } from "../rpc/object-names.ts";
import type {
  AccountRpc,
  AdmissionReply,
  AdmissionRequest,
  Revocation,
} from "../rpc/account-rpc.ts";
import type { Fault } from "../rpc/fault.ts";
import type { ObjectEnv } from "../rpc/object-env.ts";
import { ObjectStorage } from "../platform/object-storage.ts";
import { VERSION_KEY } from "../platform/storage-version.ts";
import type { TokenFacts } from "../../model/user.ts";

/** Accounts in memory. One that is evicted loses its connection rate and nothing else: all the rest is in storage. */
const ACCOUNTS_AT_MOST = 10_000;
/** Keys of pending alarms, by user. */
const DUE_PREFIX = "due/";
/** Users rung by one alarm: each may call a thousand objects. The others follow at once. */
const RUNG_AT_ONCE = 100;

export class AccountObject<Env extends ObjectEnv = ObjectEnv> extends DurableObject<Env> {
  readonly #storage: ObjectStorage;
  readonly #accounts = new Map<string, Account>();
  /** Users whose account is being rung, and was not armed again meanwhile. */
  readonly #ringing = new Set<string>();
  /** When the alarm is set for; undefined until this wake has set it. */
  #alarmAt: number | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#storage = new ObjectStorage(ctx, ACCOUNT_MIGRATIONS);
  }

  #accountOf(user: string): Account {
    const inMemory = this.#accounts.get(user);
    if (inMemory) return inMemory;
    const [oldest] = this.#accounts.keys();
    if (this.#accounts.size >= ACCOUNTS_AT_MOST) this.#accounts.delete(oldest!);
    const account = new Account({
      ...{ user, store: new AccountStore(this.#storage.kv, user) },
      stubs: () => roomStubs(this.env),
      arm: (at) => this.#arm(user, at),
      isArmed: () => this.#storage.kv.get(DUE_PREFIX + user) !== undefined,
    });
    this.#accounts.set(user, account);
    return account;
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
    const now = Date.now();
    this.#alarmAt = undefined;
    const due = this.#alarms.filter(([, at]) => at <= now).slice(0, RUNG_AT_ONCE);
    await Promise.all(due.map(([user]) => this.#ring(user, now)));
    const next = this.#firstAlarm;
    if (next < Infinity) await this.ctx.storage.setAlarm((this.#alarmAt = next));
    else if (!this.#hasContent) await this.#storage.deleteAll();
  }

  get #hasContent(): boolean {
    return [...this.#storage.kv.list({ limit: 2 })].some(([key]) => key !== VERSION_KEY);
  }

  async #ring(user: string, now: number): Promise<void> {
    this.#ringing.add(user);
    await this.#accountOf(user).ring(now);
    if (this.#ringing.delete(user)) this.#storage.kv.delete(DUE_PREFIX + user);
  }

  async admit(user: string, request: AdmissionRequest): Promise<AdmissionReply> {
    return this.#accountOf(user).admit(request);
  }

  async check(user: string, token: TokenFacts): Promise<Fault | undefined> {
    return this.#accountOf(user).check(token);
  }

  async command(user: string, ...args: Parameters<AccountRpc["command"]>): Promise<number> {
    return this.#accountOf(user).command(...args);
  }

  async revoke(user: string, revocation: Revocation): Promise<void> {
    return this.#accountOf(user).revoke(revocation);
  }

  async ban(user: string, seconds: number, reason?: string): Promise<void> {
    return this.#accountOf(user).ban(seconds, reason);
  }

  async unban(user: string): Promise<void> {
    return this.#accountOf(user).unban();
  }

  async addToGroup(user: string, ...args: Parameters<AccountRpc["addToGroup"]>): Promise<void> {
    return this.#accountOf(user).groups.add(...args);
  }

  async removeFromGroup(user: string, hub: string, group: string): Promise<void> {
    return this.#accountOf(user).groups.remove(hub, group);
  }

  async removeFromAllGroups(user: string, hub: string): Promise<void> {
    return this.#accountOf(user).groups.removeAll(hub);
  }

  async isInGroup(user: string, hub: string, group: string): Promise<boolean> {
    return this.#accountOf(user).groups.has(hub, group);
  }
}
