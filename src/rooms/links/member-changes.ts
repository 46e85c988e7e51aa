// Changes of this object's members that were not reported to a followed room yet: users whose number of connections has
// changed, and the users who left on purpose.

import type { Connection } from "../connection/connection.ts";
import type { MemberCount, Traces } from "../rpc/room-rpc.ts";

/** How a member left: by a loss, so that it may return soon, or on purpose. */
export type Departure = "lost" | "left";

/** The changes of one report. */
export interface TakenChanges {
  /** Ids of users, with a trace if there is one. */
  readonly users: ReadonlyMap<string, string | undefined>;
  /** The users of these whose latest change is a connection that left on purpose. It is reported once. */
  readonly left: ReadonlySet<string>;
}

export class MemberChanges {
  readonly #users = new Map<string, string | undefined>();
  readonly #left = new Set<string>();

  get isEmpty(): boolean {
    return this.#users.size === 0;
  }

  /** Notes, after a wake, that a connection of this user was lost. */
  lost(userId: string): void {
    this.#users.set(userId, undefined);
  }

  /** Notes that the connection has joined, was lost, or has left on purpose. */
  note({ user, attached }: Connection, how: "joined" | Departure): void {
    this.#users.set(user.id, attached.trace);
    if (how === "left") this.#left.add(user.id);
    else this.#left.delete(user.id);
  }

  /** Takes all changes for a report; later ones go with the next. */
  take(): TakenChanges {
    const taken = { users: new Map(this.#users), left: this.takeLeaves() };
    this.#users.clear();
    return taken;
  }

  /** Takes only the deliberate leaves. */
  takeLeaves(): ReadonlySet<string> {
    const left = new Set(this.#left);
    this.#left.clear();
    return left;
  }

  /** Called when the report has failed. Newer changes are kept. */
  putBack({ users, left }: TakenChanges): void {
    for (const [user, trace] of users) if (!this.#users.has(user)) this.#users.set(user, trace);
    for (const user of left) this.#left.add(user);
  }

  /** Traces of the changed users, as an optional argument: none if no connection had a trace. */
  get traces(): [] | [Traces] {
    const traces = [...this.#users].filter(([, trace]) => trace !== undefined);
    return traces.length === 0 ? [] : [new Map(traces as [string, string][])];
  }
}

/** The number of connections of each changed user, or with `all` of every user, among the members. */
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
