// Changes of this object's members that a followed room does not have yet: users whose number of connections has
// changed, and which of them left on purpose.

import type { Connection } from "../connection/connection.ts";
import type { MemberCount, Traces } from "../rpc/room-rpc.ts";

/** How a member left: by a loss, so that it may return soon, or on purpose. */
export type Departure = "lost" | "left";

/** Taken for one report. */
export interface TakenChanges {
  /** Ids of users, with a trace where there is one. */
  readonly users: ReadonlyMap<string, string | undefined>;
  /** Of these, users whose latest change is a connection that left on purpose. It is reported once. */
  readonly left: ReadonlySet<string>;
}

export class MemberChanges {
  readonly #users = new Map<string, string | undefined>();
  readonly #left = new Set<string>();

  get isEmpty(): boolean {
    return this.#users.size === 0;
  }

  /** After a wake: a connection of this user did not survive. */
  lost(userId: string): void {
    this.#users.set(userId, undefined);
  }

  /** The connection has joined, was lost, or has left on purpose. */
  note({ user, attached }: Connection, how: "joined" | Departure): void {
    this.#users.set(user.id, attached.trace);
    if (how === "left") this.#left.add(user.id);
    else this.#left.delete(user.id);
  }

  /** Changes from here on go with the next report. */
  take(): TakenChanges {
    const taken = { users: new Map(this.#users), left: this.takeLeaves() };
    this.#users.clear();
    return taken;
  }

  /** The deliberate leaves alone: changes stay. */
  takeLeaves(): ReadonlySet<string> {
    const left = new Set(this.#left);
    this.#left.clear();
    return left;
  }

  /** The report has failed. Newer changes stay as they are. */
  putBack({ users, left }: TakenChanges): void {
    for (const [user, trace] of users) if (!this.#users.has(user)) this.#users.set(user, trace);
    for (const user of left) this.#left.add(user);
  }

  /** Of changed users. No argument where nobody's connection had a trace. */
  get traces(): [] | [Traces] {
    const traces = [...this.#users].filter(([, trace]) => trace !== undefined);
    return traces.length === 0 ? [] : [new Map(traces as [string, string][])];
  }
}

/** The connections that each changed user has among the members; with `all`, that every user has. */
export function memberCounts(
  members: Iterable<Connection>,
  { users, left }: TakenChanges,
  all: boolean,
): MemberCount[] {
  const counts = new Map([...users.keys()].map((user) => [user, 0]));
  for (const { user } of members)
    if (all || counts.has(user.id)) counts.set(user.id, (counts.get(user.id) ?? 0) + 1);
  return [...counts].map(([user, count]) => {
    const how = count === 0 && left.has(user) ? "left" : undefined;
    const trace = users.get(user);
    if (trace !== undefined) return [user, count, how, trace];
    return how ? [user, count, how] : [user, count];
  });
}
