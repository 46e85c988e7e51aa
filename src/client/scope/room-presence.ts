// Who is in the room: the state that `$/connected` gives, and what each `$/presence` makes of it. Pure.

export interface Member {
  readonly userId: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** What the user tracks there. */
  readonly state: unknown;
}

/** A snapshot: never changed, only replaced. */
export interface Presence {
  readonly users: number;
  readonly connections: number;
  readonly members: ReadonlyMap<string, Member>;
  /** Not all users are in `members`: the room is large, and the rest is paged (`presencePage`). */
  readonly more: boolean;
}

export interface PresencePage {
  readonly users: number;
  readonly connections: number;
  readonly members: readonly (Member & { readonly connections: number })[];
  readonly more: boolean;
}

export interface PresenceChange {
  readonly users?: number;
  readonly connections?: number;
  readonly joined?: readonly Pick<Member, "userId" | "since">[];
  readonly left?: readonly string[];
  readonly more?: boolean;
  readonly tracked?: readonly Pick<Member, "userId" | "state">[];
}

export const NOBODY: Presence = { users: 0, connections: 0, members: new Map(), more: false };

/** Without each member's connections: nothing announces those, so they would grow stale. */
export const presenceOf = ({ users, connections, members, more }: PresencePage): Presence => ({
  users,
  connections,
  members: new Map(
    members.map(({ userId, since, state }) => [userId, { userId, since, state }] as const),
  ),
  more,
});

export function afterChange(presence: Presence, change: PresenceChange): Presence {
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
