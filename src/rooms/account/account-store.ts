// The stored state of one user of a tenant: objects that may hold connections of the user, revoked tokens, a ban, and
// groups that a service has put the user into. Each has a key, because they are few and small. All keys begin with
// `user/`, the user's id (escaped) and `/`: accounts in one object cannot read each other's keys.
//
//   changes            version of the rules
//   object <name>      an object that may hold connections, and the newest version of the rules that it has applied
//   before, jti <id>   revoked tokens, by time of issue and by id
//   ends               when all tokens of `before` have expired; absent if they are revoked for good
//   ban                the ban, until when and why
//   grouped            true once the user was in any group
//   group <hub> <name> a membership
//   use <hub>          id of the use of the user's own room there; absent while it is not in use

import type { PrefixedKv } from "../platform/prefixed-kv.ts";
import { isRevoked, type TokenRules } from "../../model/token-rules.ts";
import type { TokenFacts } from "../../model/user.ts";
import { HubError } from "../../model/errors.ts";
import type { AddedGroup, GroupMembership, HolderRecord } from "./account-records.ts";

/** Objects that may hold connections of one user at once. */
export const OBJECTS_AT_MOST = 1_000;
/** The most tokens revoked by id that have not expired. */
const JTIS_AT_MOST = 1_000;
/** The most memberships without a time to live. As in Azure Web PubSub, the newest stay, each for a year. */
const GROUPS_AT_MOST = 100;
/** The most memberships in all when one with a time to live is added: it is refused then, and evicts none. */
const TIMED_GROUPS_AT_MOST = 200;
const YEAR_MS = 366 * 86_400_000;

export class AccountStore {
  readonly #kv: PrefixedKv;
  #objectCount: number | undefined;
  /** Copies of stored values; undefined until the first read. Most users have neither rules nor groups. */
  #version: number | undefined;
  #hasGroups: boolean | undefined;

  /** `kv`: the keys of this user. */
  constructor(kv: PrefixedKv) {
    this.#kv = kv;
  }

  /** Version of the rules: rises with each revocation and ban. 0: the user never had any. */
  get rulesVersion(): number {
    return (this.#version ??= this.#kv.get<number>("changes") ?? 0);
  }

  /** Names of the objects that may hold connections of the user. */
  get objects(): string[] {
    return this.#kv.list<HolderRecord>("object ").map(([name]) => name);
  }

  /** Objects that have not applied the newest rules. */
  get outdatedObjects(): string[] {
    const { rulesVersion } = this;
    const records = this.#kv.list<HolderRecord>("object ");
    return records.flatMap(([name, { told }]) => (told < rulesVersion ? name : []));
  }

  hasObject(object: string): boolean {
    return this.#kv.get(`object ${object}`) !== undefined;
  }

  /** Counted once for each wake, so that an attempt to connect reads one row and not a thousand. */
  get objectCount(): number {
    return (this.#objectCount ??= this.objects.length);
  }

  /** Adds an object that is not listed yet. */
  addObject(object: string): void {
    if (this.#objectCount !== undefined) this.#objectCount++;
    this.setObjectVersion(object, this.rulesVersion);
  }

  /** Saves that the object has applied the rules up to this version. */
  setObjectVersion(object: string, version: number): void {
    this.#kv.put<HolderRecord>(`object ${object}`, { told: version });
  }

  removeObject(object: string): void {
    if (this.#objectCount !== undefined && this.hasObject(object)) this.#objectCount--;
    this.#kv.delete(`object ${object}`);
  }

  /** The rules that objects apply to the tokens of their connections; a ban revokes all tokens. */
  rules(now: number): TokenRules {
    const before = this.#kv.get<number>("before");
    const jtis = this.#kv.list<number>("jti ").flatMap(([jti, until]) => (until > now ? jti : []));
    return { jtis, ...(before !== undefined && { before }), ...(this.ban(now) && { all: true }) };
  }

  /** Whether the rules revoke this token. For users without rules, which are most, this is one read. */
  isRevoked(token: TokenFacts, now: number): boolean {
    return this.rulesVersion > 0 && isRevoked(token, this.rules(now));
  }

  /** `until`: when the token expires, milliseconds since 1970. Throws `too_large` if too many tokens are revoked. */
  revokeToken(jti: string, until: number | undefined, now: number): void {
    const isNew = this.#kv.get(`jti ${jti}`) === undefined;
    if (isNew && this.#kv.list("jti ").length >= JTIS_AT_MOST)
      throw new HubError("too_large", `${JTIS_AT_MOST} tokens are revoked: revoke by time.`);
    this.#kv.put(`jti ${jti}`, until ?? now + YEAR_MS);
    this.#raiseVersion();
  }

  /** Revokes tokens issued before that second: until they expire if every call had `until`, else for good. */
  revokeBefore(seconds: number, until = Infinity): void {
    const before = this.#kv.get<number>("before") ?? 0;
    const ends = Math.max(until, before && this.#beforeEnds);
    if (ends < Infinity) this.#kv.put("ends", ends);
    else this.#kv.delete("ends");
    this.#kv.put("before", Math.max(seconds, before));
    this.#raiseVersion();
  }

  get #beforeEnds(): number {
    return this.#kv.get<number>("ends") ?? Infinity;
  }

  #raiseVersion(): void {
    this.#version = this.rulesVersion + 1;
    this.#kv.put("changes", this.#version);
  }

  ban(now: number): { readonly until: number; readonly reason?: string } | undefined {
    if (this.rulesVersion === 0) return undefined;
    const ban = this.#kv.get<{ until: number; reason?: string }>("ban");
    return ban && ban.until > now ? ban : undefined;
  }

  setBan(until: number, reason: string | undefined): void {
    this.#kv.put("ban", { until, ...(reason !== undefined && { reason }) });
    this.#raiseVersion();
  }

  /** Raises no version, because there is nothing to close. */
  liftBan(): void {
    this.#kv.delete("ban");
  }

  /** Groups of this hub. For users that were never in any, which are most, this is one read. */
  groups(hub: string, now: number): string[] {
    this.#hasGroups ??= this.#kv.get("grouped") === true;
    if (!this.#hasGroups) return [];
    const all = this.#kv.list<GroupMembership>(`group ${hub} `);
    return all.flatMap(([group, { until }]) => (until > now ? group : []));
  }

  /**
   * Adds a membership, or replaces its expiry. If there are too many, one with a time to live is refused with
   * `too_many_groups`, and one without evicts the oldest.
   */
  addGroup({ hub, group, ttlSeconds }: AddedGroup, now: number): void {
    const isNew = this.#kv.get(`group ${hub} ${group}`) === undefined;
    const timed = ttlSeconds !== undefined;
    if (timed && isNew && this.groups(hub, now).length >= TIMED_GROUPS_AT_MOST)
      throw new HubError("too_many_groups", `A user is in ${TIMED_GROUPS_AT_MOST} groups at most.`);
    this.#kv.put("grouped", true);
    this.#hasGroups = true;
    const until = now + (timed ? ttlSeconds * 1000 : YEAR_MS);
    this.#kv.put<GroupMembership>(`group ${hub} ${group}`, { until, timed, since: now });
    if (!timed) this.#dropOldGroups(hub);
  }

  #dropOldGroups(hub: string): void {
    const untimed = this.#kv
      .list<GroupMembership>(`group ${hub} `)
      .filter(([, { timed }]) => !timed);
    const oldest = untimed.toSorted(([, a], [, b]) => b.since - a.since).slice(GROUPS_AT_MOST);
    for (const [group] of oldest) this.removeGroup(hub, group);
  }

  removeGroup(hub: string, group: string): void {
    this.#kv.delete(`group ${hub} ${group}`);
  }

  /** Removes the membership, unless it was renewed since `expire` returned it. */
  expireGroup(hub: string, group: string, now: number): void {
    const { until = 0 } = this.#kv.get<GroupMembership>(`group ${hub} ${group}`) ?? {};
    if (until <= now) this.removeGroup(hub, group);
  }

  /** The use of the user's own room of this hub; undefined while it is not in use. */
  roomUse(hub: string): string | undefined {
    return this.#kv.get<string>(`use ${hub}`);
  }

  useRoom(hub: string, id: string): void {
    this.#kv.put(`use ${hub}`, id);
  }

  disuseRoom(hub: string): void {
    this.#kv.delete(`use ${hub}`);
  }

  /** When the next membership, revocation or ban ends, milliseconds since 1970; Infinity if none does. */
  get nextExpiry(): number {
    const jtis = this.#kv.list<number>("jti ").map(([, until]) => until);
    return Math.min(
      ...jtis,
      this.#beforeEnds,
      this.#kv.get<{ until: number }>("ban")?.until ?? Infinity,
      ...this.#kv.list<GroupMembership>("group ").map(([, { until }]) => until),
    );
  }

  /**
   * Whether there is data without a time of its end: objects that may be empty by now, or traces of old rules.
   */
  get needsTidying(): boolean {
    const hasTrace = this.rulesVersion > 0 && this.#kv.get("before") === undefined;
    return hasTrace || this.#kv.get("grouped") !== undefined || this.objects.length > 0;
  }

  /** Deletes traces of rules and groups that have all ended. The version stays while an object has applied it. */
  tidy(): void {
    const hasRule = ["before", "ban"].some((key) => this.#kv.get(key) !== undefined);
    if (!hasRule && this.#kv.list("jti ").length + this.objects.length === 0) {
      this.#kv.delete("changes");
      this.#version = 0;
    }
    if (this.#kv.list("group ").length > 0) return;
    this.#kv.delete("grouped");
    this.#hasGroups = false;
  }

  /**
   * Deletes expired bans and revocations. Returns expired memberships: they stay, and are returned again after a crash,
   * until connections have left the group and `expireGroup` is called.
   */
  expire(now: number): Pick<AddedGroup, "hub" | "group">[] {
    for (const [jti, until] of this.#kv.list<number>("jti "))
      if (until <= now) this.#kv.delete(`jti ${jti}`);
    if ((this.#kv.get<{ until: number }>("ban")?.until ?? Infinity) <= now) this.liftBan();
    if (this.#beforeEnds <= now) for (const key of ["before", "ends"]) this.#kv.delete(key);
    const expired = this.#kv
      .list<GroupMembership>("group ")
      .filter(([, { until }]) => until <= now);
    return expired.map(([key]) => {
      const space = key.indexOf(" ");
      return { hub: key.slice(0, space), group: key.slice(space + 1) };
    });
  }
}
