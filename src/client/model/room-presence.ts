// Presence of a room: the snapshot in `$/connected`, and the effect of each `$/presence` message on it. Pure.

/** `S` is the type of the states that the hub declares. */
export interface Member<S = unknown> {
  readonly userId: string;
  /** When the user joined the room, in milliseconds since 1970. */
  readonly since: number;
  /** The state that the user tracks in the room; null for none. */
  readonly state: S | null;
}

/** The users in a room. An immutable snapshot: every change makes a new object. */
export interface Presence<S = unknown> {
  readonly users: number;
  readonly connections: number;
  readonly members: ReadonlyMap<string, Member<S>>;
  /** `members` is incomplete, because the room is large. `presencePage` lists the rest. */
  readonly more: boolean;
}

/** One page of a room's members, in the order of user ids. */
export interface PresencePage<S = unknown> {
  readonly users: number;
  readonly connections: number;
  readonly members: readonly (Member<S> & { readonly connections: number })[];
  /** Another page follows: query it with `after` set to the last user id of this one. */
  readonly more: boolean;
}

/** Which page of the members. */
export interface PresenceQuery {
  /** A user id: the page starts after it. Absent: the first page. */
  readonly after?: string | undefined;
  /** Members in one page. The server caps it at a limit of its own. */
  readonly limit?: number | undefined;
}

/** The difference to the previous presence. An absent field did not change. */
export interface PresenceChange {
  readonly users?: number;
  readonly connections?: number;
  readonly joined?: readonly Pick<Member, "userId" | "since">[];
  readonly left?: readonly string[];
  /** Users are missing in `joined` or `left`, because they were too many. The counts are complete. */
  readonly more?: boolean;
  readonly tracked?: readonly Pick<Member, "userId" | "state">[];
}

export const EMPTY_PRESENCE: Presence = {
  users: 0,
  connections: 0,
  members: new Map(),
  more: false,
};

/** Drops each member's number of connections: messages do not announce its changes, so it would become outdated. */
export const presenceOf = ({ members, ...page }: PresencePage): Presence => ({
  ...page,
  members: new Map(members.map(({ connections: _, ...member }) => [member.userId, member])),
});

/**
 * The presence after `change`, as a new object. A user who joins again keeps the tracked state; a state of an unlisted
 * user adds a member whose `since` is 0.
 */
export function applyChange(presence: Presence, change: PresenceChange): Presence {
  const members = new Map(presence.members);
  for (const { userId, since } of change.joined ?? [])
    members.set(userId, { userId, since, state: members.get(userId)?.state ?? null });
  for (const userId of change.left ?? []) members.delete(userId);
  for (const { userId, state } of change.tracked ?? [])
    members.set(userId, { since: 0, ...members.get(userId), userId, state });
  return {
    users: change.users ?? presence.users,
    connections: change.connections ?? presence.connections,
    members,
    more: presence.more || change.more === true,
  };
}
