// What is kept of one user of a tenant: where connections of theirs may be, tokens that are no longer good, a ban, and
// groups that a service has put them into. Few and small, so a key each.

import { isRevoked, type TokenFacts, type TokenRules } from "../../model/token-rules.ts";
import { HubError } from "../../model/errors.ts";
import type { PrefixedKv } from "../platform/prefixed-kv.ts";

/** A user's connections may be in so many objects, as far as anybody knows. */
export const OBJECTS_AT_MOST = 1_000;
/** Tokens revoked one by one that are remembered at once. */
const JTIS_AT_MOST = 1_000;
/** Groups without an end of their own, as in Azure: the newest stay, for a year. */
const GROUPS_AT_MOST = 100;
/** Those with an end do not push others out: one more is refused. */
const TIMED_AT_MOST = 200;
const YEAR_MS = 366 * 86_400_000;

interface Place {
  /** The newest change of rules that the object has heard. */
  readonly told: number;
}

interface Membership {
  readonly until: number;
  /** It was given an end, and does not count among those that have none. */
  readonly timed: boolean;
  readonly since: number;
}

export class AccountStore {
  readonly #kv: PrefixedKv;

  constructor(kv: PrefixedKv) {
    this.#kv = kv;
  }

  #list<T>(prefix: string): [key: string, value: T][] {
    return this.#kv.list<T>(prefix);
  }

  /** How often the rules have changed. */
  get changes(): number {
    return this.#kv.get<number>("changes") ?? 0;
  }

  get places(): string[] {
    return this.#list<Place>("object ").map(([name]) => name);
  }

  /** Objects that have not heard of the newest rules. */
  get untold(): string[] {
    const { changes } = this;
    const places = this.#list<Place>("object ");
    return places.flatMap(([name, { told }]) => (told < changes ? name : []));
  }

  knows(object: string): boolean {
    return this.#kv.get(`object ${object}`) !== undefined;
  }

  /** The object has heard of the rules up to this change. */
  told(object: string, told = this.changes): void {
    this.#kv.put<Place>(`object ${object}`, { told });
  }

  forget(object: string): void {
    this.#kv.delete(`object ${object}`);
  }

  rules(now: number): TokenRules {
    const before = this.#kv.get<number>("before");
    const jtis = this.#list<number>("jti ").flatMap(([jti, until]) => (until > now ? jti : []));
    return { jtis, ...(before !== undefined && { before }), ...(this.ban(now) && { all: true }) };
  }

  /** Of most users nothing was ever taken back: one look tells. */
  isRevoked(token: TokenFacts, now: number): boolean {
    return this.changes > 0 && isRevoked(token, this.rules(now));
  }

  /** Throws `too_large` where too many are remembered already. */
  revokeToken(jti: string, until: number | undefined, now: number): void {
    const isNew = this.#kv.get(`jti ${jti}`) === undefined;
    if (isNew && this.#list("jti ").length >= JTIS_AT_MOST)
      throw new HubError("too_large", `${JTIS_AT_MOST} tokens are revoked: revoke by time.`);
    this.#kv.put(`jti ${jti}`, until ?? now + YEAR_MS);
    this.#changed();
  }

  /** Kept for good: it is one number, and a token's own end is not known. */
  revokeBefore(seconds: number): void {
    this.#kv.put("before", Math.max(seconds, this.#kv.get<number>("before") ?? 0));
    this.#changed();
  }

  #changed(): void {
    this.#kv.put("changes", this.changes + 1);
  }

  ban(now: number): { readonly until: number; readonly reason?: string } | undefined {
    if (this.changes === 0) return undefined;
    const ban = this.#kv.get<{ until: number; reason?: string }>("ban");
    return ban && ban.until > now ? ban : undefined;
  }

  setBan(until: number, reason: string | undefined): void {
    this.#kv.put("ban", { until, ...(reason !== undefined && { reason }) });
    this.#changed();
  }

  liftBan(): void {
    this.#kv.delete("ban");
  }

  /** Groups of this hub. Most users have never been in any: one look tells. */
  groups(hub: string, now: number): string[] {
    if (!this.#kv.get("grouped")) return [];
    const all = this.#list<Membership>(`group ${hub} `);
    return all.flatMap(([group, { until }]) => (until > now ? group : []));
  }

  /** Throws `too_many_groups`. */
  addGroup(hub: string, group: string, ttlSeconds: number | undefined, now: number): void {
    const isNew = this.#kv.get(`group ${hub} ${group}`) === undefined;
    if (ttlSeconds !== undefined && isNew && this.groups(hub, now).length >= TIMED_AT_MOST)
      throw new HubError("too_many_groups", `A user is in ${TIMED_AT_MOST} groups at most.`);
    this.#kv.put("grouped", true);
    const until = now + (ttlSeconds === undefined ? YEAR_MS : ttlSeconds * 1000);
    const timed = ttlSeconds !== undefined;
    this.#kv.put<Membership>(`group ${hub} ${group}`, { until, timed, since: now });
    if (!timed) this.#dropOldGroups(hub);
  }

  #dropOldGroups(hub: string): void {
    const endless = this.#list<Membership>(`group ${hub} `).filter(([, { timed }]) => !timed);
    const oldest = endless.toSorted(([, a], [, b]) => b.since - a.since).slice(GROUPS_AT_MOST);
    for (const [group] of oldest) this.removeGroup(hub, group);
  }

  removeGroup(hub: string, group: string): void {
    this.#kv.delete(`group ${hub} ${group}`);
  }

  /** Unless it was given anew. */
  endGroup(hub: string, group: string, now: number): void {
    const { until = 0 } = this.#kv.get<Membership>(`group ${hub} ${group}`) ?? {};
    if (until <= now) this.removeGroup(hub, group);
  }

  /** When something is to be forgotten; Infinity where nothing is. */
  get nextEnd(): number {
    const jtis = this.#list<number>("jti ").map(([, until]) => until);
    return Math.min(...jtis, ...this.#list<Membership>("group ").map(([, { until }]) => until));
  }

  /** Forgets tokens that have ended. Gives memberships that have, to be forgotten once connections were told. */
  expire(now: number): { readonly hub: string; readonly group: string }[] {
    for (const [jti, until] of this.#list<number>("jti "))
      if (until <= now) this.#kv.delete(`jti ${jti}`);
    const ended = this.#list<Membership>("group ").filter(([, { until }]) => until <= now);
    return ended.map(([key]) => {
      const space = key.indexOf(" ");
      return { hub: key.slice(0, space), group: key.slice(space + 1) };
    });
  }
}
