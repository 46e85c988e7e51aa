// The Durable Object of some users of a tenant: an object for each would be made by every user's first connection, and
// made objects are what costs. Which users share one, a hash says.

import { DurableObject } from "cloudflare:workers";
import { Account } from "./account.ts";
import { ACCOUNT_MIGRATIONS } from "./account-migrations.ts";
import { AccountStore } from "./account-store.ts";
import { escape } from "../rpc/object-names.ts";
import type { Command, Selection } from "../rpc/command.ts";
import { roomStubs } from "../rpc/stubs.ts";
import type { AdmissionReply, AdmissionRequest, Revocation } from "../rpc/account-rpc.ts";
import type { Fault } from "../rpc/fault.ts";
import type { ObjectEnv } from "../rpc/object-env.ts";
import { PrefixedKv } from "../platform/prefixed-kv.ts";
import { migratedKv, type KeyValues } from "../platform/storage-version.ts";
import type { TokenFacts } from "../../model/token-rules.ts";

/** Users whose account is in memory: it holds no more than a rate. */
const AWAKE_AT_MOST = 10_000;
const DUE = "due/";

export class AccountObject<Env extends ObjectEnv = ObjectEnv> extends DurableObject<Env> {
  readonly #kv: KeyValues;
  readonly #accounts = new Map<string, Account>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#kv = migratedKv(ctx, ACCOUNT_MIGRATIONS);
  }

  #of(user: string): Account {
    const known = this.#accounts.get(user);
    if (known) return known;
    const [oldest] = this.#accounts.keys();
    if (this.#accounts.size >= AWAKE_AT_MOST) this.#accounts.delete(oldest!);
    const kv = new PrefixedKv(this.#kv, `user/${escape(user)}/`);
    const account = new Account({
      ...{ user, facts: new AccountStore(kv) },
      peers: () => roomStubs(this.env),
      arm: (at) => this.#arm(user, at),
    });
    this.#accounts.set(user, account);
    return account;
  }

  /** A key for each user to whom something is due, and one alarm for the first of them. */
  #arm(user: string, at: number): void {
    this.#kv.put(DUE + user, at);
    const first = Math.min(...this.#due.map(([, due]) => due));
    void this.ctx.storage.setAlarm(first);
  }

  get #due(): [user: string, at: number][] {
    const all = [...this.#kv.list<number>({ prefix: DUE })];
    return all.map(([key, at]) => [key.slice(DUE.length), at]);
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    const due = this.#due.filter(([, at]) => at <= now);
    for (const [user] of due) this.#kv.delete(DUE + user);
    await Promise.all(due.map(([user]) => this.#of(user).ring(now)));
    const next = Math.min(...this.#due.map(([, at]) => at));
    if (next < Infinity) await this.ctx.storage.setAlarm(next);
  }

  async admit(user: string, admitting: AdmissionRequest): Promise<AdmissionReply> {
    return this.#of(user).admit(admitting);
  }

  async check(user: string, token: TokenFacts): Promise<Fault | undefined> {
    return this.#of(user).check(token);
  }

  async command(user: string, hub: string, selection: Selection, commands: readonly Command[]) {
    return this.#of(user).command(hub, selection, commands);
  }

  async revoke(user: string, revocation: Revocation): Promise<void> {
    return this.#of(user).revoke(revocation);
  }

  async ban(user: string, seconds: number, reason?: string): Promise<void> {
    return this.#of(user).ban(seconds, reason);
  }

  async unban(user: string): Promise<void> {
    return this.#of(user).unban();
  }

  async addToGroup(user: string, hub: string, group: string, ttl?: number): Promise<void> {
    return this.#of(user).addToGroup(hub, group, ttl);
  }

  async removeFromGroup(user: string, hub: string, group: string): Promise<void> {
    return this.#of(user).removeFromGroup(hub, group);
  }

  async removeFromAllGroups(user: string, hub: string): Promise<void> {
    return this.#of(user).removeFromAllGroups(hub);
  }

  async isInGroup(user: string, hub: string, group: string): Promise<boolean> {
    return this.#of(user).isInGroup(hub, group);
  }
}
