// Who may. A policy sees the call and says yes or no; policies combine, and none of them throws to refuse.

import { allows } from "../../model/capability.ts";
import { formatTopic, isRoomKind, type RoomKind, type Topic } from "../../model/topic.ts";
import { isService, type Right, type User } from "../../model/user.ts";

export type Awaitable<T> = T | Promise<T>;

/** What a policy judges: a method call, or (without `method`) entering `room`. */
export interface Call {
  readonly hub: string;
  readonly method?: string;
  readonly room?: Topic;
  readonly user: User | null;
  readonly args: readonly unknown[];
}

export type Policy = (call: Call) => Awaitable<boolean>;

export const anyone: Policy = () => true;
export const nobody: Policy = () => false;
export const signedIn: Policy = ({ user }) => user !== null;

/** At least one of these roles. */
export const role =
  (...anyOf: string[]): Policy =>
  ({ user }) =>
    anyOf.some((name) => user?.roles.includes(name));

/** The claim is this value, or an array that has it. */
export const claim =
  (name: string, value: unknown): Policy =>
  ({ user }) => {
    const held = user && Object.hasOwn(user.claims, name) ? user.claims[name] : undefined;
    return Array.isArray(held) ? held.includes(value) : held !== undefined && held === value;
  };

export const every =
  (...policies: Policy[]): Policy =>
  async (call) => {
    for (const policy of policies) if (!(await policy(call))) return false;
    return true;
  };

export const some =
  (...policies: Policy[]): Policy =>
  async (call) => {
    for (const policy of policies) if (await policy(call)) return true;
    return false;
  };

/** Somebody who would come into a room of a hub, or ask about it. */
export const callAt = ({ name: hub }: { readonly name: string }, user: User, room: Topic) => ({
  ...{ hub, user, room },
  args: [],
});

/** A hub, as far as its rules of rooms go. */
interface RuledHub {
  readonly hub: {
    readonly settings: { readonly rooms?: { readonly [K in RoomKind]?: RoomRules } };
  };
}

export const rulesAt = ({ hub }: RuledHub, { kind }: Topic): RoomRules | undefined =>
  isRoomKind(kind) ? hub.settings.rooms?.[kind] : undefined;

/** The rules of one kind of room. Closed unless opened. */
export interface RoomRules {
  readonly enter?: Policy;
  /** Default: whoever may enter. */
  readonly history?: Policy;
}

/**
 * A user's room is its own; the rest as the hub says or the token's `caps` grant; services may all
 * (docs/design/rest-and-tokens.md#ro1).
 */
export async function mayEnter(call: Call & { room: Topic }, rules?: RoomRules): Promise<boolean> {
  const { user, room } = call;
  if (!user || room.kind === "all") return false;
  if (isService(user) || holds(user, "sub", room)) return true;
  if (room.kind === "user") return room.name === user.id;
  return (await rules?.enter?.(call)) ?? false;
}

export async function mayReadHistory(
  call: Call & { room: Topic },
  rules?: RoomRules,
): Promise<boolean> {
  const { user, room } = call;
  if (!user) return false;
  if (isService(user) || holds(user, "hst", room)) return true;
  return rules?.history ? await rules.history(call) : await mayEnter(call, rules);
}

/** Who may enter sees who is there, and so does who may only look. */
export const mayReadPresence = async (
  call: Call & { room: Topic },
  rules?: RoomRules,
): Promise<boolean> =>
  (call.user !== null && holds(call.user, "prs", call.room)) || mayEnter(call, rules);

/** Clients speak through hub code; by themselves only where a token says so. The whole hub is for services. */
export const mayPublish = (user: User, room: Topic): boolean =>
  isService(user) || (room.kind !== "all" && holds(user, "pub", room));

const holds = (user: User, right: Right, room: Topic): boolean =>
  user.caps.length > 0 && allows(user, right, formatTopic(room));
