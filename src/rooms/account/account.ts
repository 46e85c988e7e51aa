// One user of a tenant, in all hubs: lets their connections in or not, and knows which objects hold them, so that what a
// service says of a user reaches every one of them.

import { CLOSE, publicError } from "../../model/errors.ts";
import { logWarning } from "../../model/logger.ts";
import type { TokenFacts } from "../../model/token-rules.ts";
import { OBJECTS_AT_MOST, type AccountStore } from "./account-store.ts";
import { hubOf } from "../rpc/object-names.ts";
import type { Command, CommandOutcome, Selection } from "../rpc/command.ts";
import type { AdmissionReply, AdmissionRequest, Revocation } from "../rpc/account-rpc.ts";
import type { Fault } from "../rpc/fault.ts";
import type { RoomStubs } from "../rpc/stubs.ts";
import { tokenBucket, type TokenBucket } from "../platform/rates.ts";
import { askMany } from "../platform/ask-many.ts";

/** How soon an object that could not be reached hears of a revocation. */
const RETRY_MS = 1_000;

export interface AccountOptions {
  readonly user: string;
  readonly facts: AccountStore;
  peers(): RoomStubs;
  /** `ring` is called then. */
  arm(at: number): void;
}

export class Account {
  readonly #options: AccountOptions;
  readonly #facts: AccountStore;
  #rate: TokenBucket | undefined;
  /** How often each object has asked in this wake: one that asks while it is commanded may hold a connection after. */
  readonly #asked = new Map<string, number>();

  constructor(options: AccountOptions) {
    this.#options = options;
    this.#facts = options.facts;
  }

  /**
   * Asked by an object before it lets a connection of this user in, which it is known to hold from then on. Gives the
   * groups that the user is in, or why not: `banned`, `token_revoked`, `rate_limited` or `too_many_connections`.
   */
  async admit({ object, token, rate }: AdmissionRequest): Promise<AdmissionReply> {
    const now = Date.now();
    const fault =
      this.#faultOf(token, now) ??
      this.#tooOften(rate, now) ??
      (await this.#enter(object)) ??
      // Said while room was made: the object was told of nothing yet.
      this.#faultOf(token, now);
    return fault ? { fault } : { groups: this.#facts.groups(hubOf(object), now) };
  }

  /** Whether the token is still good; if not, why: `banned` or `token_revoked`. */
  async check(token: TokenFacts): Promise<Fault | undefined> {
    return this.#faultOf(token, Date.now());
  }

  #faultOf(token: TokenFacts, now: number): Fault | undefined {
    const ban = this.#facts.ban(now);
    if (ban) return { code: "banned", message: ban.reason ?? "This user is banned for a time." };
    const isRevoked = this.#facts.isRevoked(token, now);
    return isRevoked ? { code: "token_revoked", message: "The token was revoked." } : undefined;
  }

  #tooOften(rate: AdmissionRequest["rate"], now: number): Fault | undefined {
    if (!rate || (this.#rate ??= tokenBucket(rate.perSecond, rate.burst)).take(now))
      return undefined;
    const message = `${rate.perSecond} connections a second are allowed.`;
    return { code: "rate_limited", message };
  }

  async #enter(object: string): Promise<Fault | undefined> {
    this.#asked.set(object, (this.#asked.get(object) ?? 0) + 1);
    const { places } = this.#facts;
    if (places.includes(object)) return undefined;
    if (places.length >= OBJECTS_AT_MOST) await this.#tidy();
    if (places.length >= OBJECTS_AT_MOST && this.#facts.places.length >= OBJECTS_AT_MOST)
      return { code: "too_many_connections", message: `${OBJECTS_AT_MOST} rooms at most.` };
    this.#facts.told(object);
    return undefined;
  }

  /** Forgets objects that hold no connection of the user any more. */
  async #tidy(): Promise<void> {
    await askMany(this.#facts.places, (object) => this.#command(object, {}, [])).catch(() => {});
  }

  async #command(object: string, selection: Selection, commands: readonly Command[]) {
    const about = { ...selection, user: this.#options.user };
    const asked = this.#asked.get(object);
    const obeyed = await this.#options.peers()(object).command(about, commands);
    if (obeyed.present === 0 && this.#asked.get(object) === asked) this.#forget(object);
    return obeyed;
  }

  #forget(object: string): void {
    this.#facts.forget(object);
    this.#asked.delete(object);
  }

  /** What happens to this user's connections of one hub; gives how many were meant. Throws what they throw. */
  async command(hub: string, selection: Selection, commands: readonly Command[]): Promise<number> {
    const places = this.#facts.places.filter((object) => hubOf(object) === hub);
    const all = await askMany<CommandOutcome>(places, (object) =>
      this.#command(object, selection, commands),
    );
    return all.reduce((sum, { matched }) => sum + matched, 0);
  }

  /** Done when connections with such tokens are closed, or an alarm stands that will see to it. */
  async revoke({ jti, before, until }: Revocation): Promise<void> {
    const now = Date.now();
    if (jti !== undefined) this.#facts.revokeToken(jti, until, now);
    if (before !== undefined) this.#facts.revokeBefore(before);
    if (jti === undefined && before === undefined)
      this.#facts.revokeBefore(Math.floor(now / 1000) + 1);
    await this.#tell();
  }

  async ban(seconds: number, reason?: string): Promise<void> {
    this.#facts.setBan(Date.now() + seconds * 1000, reason);
    await this.#tell();
  }

  async unban(): Promise<void> {
    this.#facts.liftBan();
  }

  /** Objects that were told already are not told again. */
  async #tell(): Promise<void> {
    const { changes } = this.#facts;
    const tokens = this.#facts.rules(Date.now());
    const close: Command = { type: "close", why: CLOSE.revoked };
    await askMany(this.#facts.untold, async (object) => {
      await this.#command(object, { tokens }, [close]);
      if (this.#facts.knows(object)) this.#facts.told(object, changes);
    }).catch((error: unknown) =>
      logWarning("revocation_untold", { code: publicError(error).code }),
    );
    this.#arm();
  }

  #arm(): void {
    const soon = Date.now() + RETRY_MS;
    const retry = this.#facts.untold.length > 0 ? soon : Infinity;
    const next = Math.min(retry, Math.max(soon, this.#facts.nextEnd));
    if (next < Infinity) this.#options.arm(next);
  }

  /** Something is due. */
  async ring(now: number): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- few end at once, and each asks every object
    for (const { hub, group } of this.#facts.expire(now)) await this.#end(hub, group, now);
    await this.#tell();
  }

  /** One that fails keeps no other from ending; where an object could not be told, the next alarm tells it. */
  async #end(hub: string, group: string, now: number): Promise<void> {
    try {
      await this.command(hub, {}, [{ type: "leave", room: `group:${group}` }]);
    } catch (error) {
      const { code } = publicError(error);
      logWarning("membership_untold", { hub, group, code });
      if (code === "unavailable") return;
    }
    this.#facts.endGroup(hub, group, now);
  }

  /** From now on, and again whenever they connect; without an end for a year, with 0 for connections of now only. */
  async addToGroup(hub: string, group: string, ttlSeconds?: number): Promise<void> {
    if (ttlSeconds !== 0) this.#facts.addGroup(hub, group, ttlSeconds, Date.now());
    this.#arm();
    const given = ttlSeconds === 0 ? {} : ({ given: true } as const);
    await this.command(hub, {}, [{ type: "join", room: `group:${group}`, ...given }]);
  }

  async removeFromGroup(hub: string, group: string): Promise<void> {
    this.#facts.removeGroup(hub, group);
    await this.command(hub, {}, [{ type: "leave", room: `group:${group}` }]);
  }

  async removeFromAllGroups(hub: string): Promise<void> {
    for (const group of this.#facts.groups(hub, Date.now())) this.#facts.removeGroup(hub, group);
    await this.command(hub, {}, [{ type: "leaveGroups" }]);
  }

  /** For good, or a connection of now is in it. */
  async isInGroup(hub: string, group: string): Promise<boolean> {
    if (this.#facts.groups(hub, Date.now()).includes(group)) return true;
    return (await this.command(hub, { room: `group:${group}` }, [])) > 0;
  }
}
