// Who is here, as pure state: connections come and go by source (this object, each follower), users are said to
// have joined or left once, however many devices they have. Nothing here knows sockets, storage or clocks.

import type { PresenceQuery, PresenceView, Present } from "../rpc/presence-view.ts";
import { SortedIds } from "./sorted-ids.ts";

/** A user who was said to be here, and was not yet said to have gone. */
export interface Announced {
  readonly userId: string;
  readonly since: number;
  readonly state: unknown;
}

export interface Change {
  readonly joined: readonly Announced[];
  readonly left: readonly string[];
}

/** This object's own sockets, among the sources. */
export const OWN = "";

export class PresenceState {
  readonly #graceMs: number;
  readonly #announced: Map<string, Announced>;
  /** Connections of each user, by source. */
  readonly #connections = new Map<string, Map<string, number>>();
  /** Users without a connection, until they are said to have left; the grace is one, so the first is due first. */
  readonly #leaving = new Map<string, number>();
  /** Users whose last connection left on purpose: their leave is due at once. */
  readonly #departed = new Set<string>();
  readonly #arriving = new Map<string, number>();
  /** All who are announced or arriving, and have not left on purpose. */
  readonly #ids = new SortedIds(() =>
    [...this.#announced.keys(), ...this.#arriving.keys()].filter((id) => !this.#departed.has(id)),
  );
  #total = 0;

  /** After a loss of memory all who were announced are leaving, until a connection of theirs is counted again. */
  constructor(announced: readonly Announced[], graceMs: number, now: number) {
    this.#graceMs = graceMs;
    this.#announced = new Map(announced.map((one) => [one.userId, one]));
    for (const { userId } of announced) this.#leaving.set(userId, now + graceMs);
  }

  /** This source has `count` connections of the user: absolute, so that repeating it changes nothing. */
  set(source: string, userId: string, count: number, now: number): void {
    const sources = this.#connections.get(userId) ?? new Map<string, number>();
    this.#total += count - (sources.get(source) ?? 0);
    if (count > 0) sources.set(source, count);
    else sources.delete(source);
    if (sources.size > 0) this.#come(userId, sources, now);
    else this.#go(userId, now);
  }

  /**
   * Ends the grace of a user without connections, who has left on purpose: pages no longer have the user, also before
   * the leave is announced. Nothing happens for all others.
   */
  skipGrace(userId: string): void {
    if (!this.#leaving.delete(userId)) return;
    this.#departed.add(userId);
    this.#ids.delete(userId);
  }

  count(source: string, userId: string): number {
    return this.#connections.get(userId)?.get(source) ?? 0;
  }

  #come(userId: string, sources: Map<string, number>, now: number): void {
    this.#connections.set(userId, sources);
    this.#leaving.delete(userId);
    if (this.#departed.delete(userId)) this.#ids.add(userId);
    if (this.#announced.has(userId) || this.#arriving.has(userId)) return;
    this.#arriving.set(userId, now);
    this.#ids.add(userId);
  }

  /** Whoever was never announced has nothing to leave. */
  #go(userId: string, now: number): void {
    this.#connections.delete(userId);
    if (this.#arriving.delete(userId)) this.#ids.delete(userId);
    if (this.#announced.has(userId) && !this.#leaving.has(userId) && !this.#departed.has(userId))
      this.#leaving.set(userId, now + this.#graceMs);
  }

  /** A source and all its connections are gone. */
  forget(source: string, now: number): void {
    for (const [userId, sources] of [...this.#connections])
      if (sources.has(source)) this.set(source, userId, 0, now);
  }

  /** Whether a join or a leave without grace waits to be announced. */
  get changing(): boolean {
    return this.#arriving.size + this.#departed.size > 0;
  }

  /** When the next leave is due. */
  get due(): number | undefined {
    return this.#leaving.values().next().value;
  }

  /** What is to be said now; it counts as said. */
  settle(now: number): Change {
    const joined = [...this.#arriving].map(([userId, since]) => ({ userId, since, state: null }));
    for (const one of joined) this.#announced.set(one.userId, one);
    this.#arriving.clear();
    return { joined, left: this.#leave(now) };
  }

  #leave(now: number): string[] {
    const left = [...this.#departed];
    this.#departed.clear();
    for (const [userId, at] of this.#leaving) {
      if (at > now) break;
      left.push(userId);
      this.#leaving.delete(userId);
      this.#ids.delete(userId);
    }
    for (const userId of left) this.#announced.delete(userId);
    return left;
  }

  /** Whether the user was said to be here. */
  isHere(userId: string): boolean {
    return this.#announced.has(userId);
  }

  /** Sets what a user who is here shows. */
  track(userId: string, state: unknown): Announced {
    const known = this.#announced.get(userId);
    if (!known) throw new Error(`${userId} is not here.`);
    const tracked = { ...known, state };
    this.#announced.set(userId, tracked);
    return tracked;
  }

  get users(): number {
    return this.#announced.size + this.#arriving.size - this.#departed.size;
  }

  get connections(): number {
    return this.#total;
  }

  view({ after, limit = Infinity }: PresenceQuery, page: number): PresenceView {
    const count = Math.max(0, Math.min(limit, page));
    const { users, connections } = this;
    if (page <= 0) return { users, connections, members: [], more: users > 0 };
    const { ids, more } = this.#ids.page(after, count);
    return { users, connections, members: ids.map((id) => this.#member(id)), more };
  }

  #member(userId: string): Present {
    const { since, state } = this.#announced.get(userId) ?? {
      since: this.#arriving.get(userId) ?? 0,
      state: null,
    };
    let connections = 0;
    for (const count of this.#connections.get(userId)?.values() ?? []) connections += count;
    return { userId, since, connections, state };
  }
}
