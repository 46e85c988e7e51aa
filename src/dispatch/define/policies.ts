// Authorization: policies, which users of the package write and combine, and the rules of rooms, which are built from
// policies, the token's capabilities and the role of services.

import { allows } from "../../model/capability.ts";
import { freezeDeep } from "../../model/plain-json.ts";
import { formatTopic, isRoomKind, type RoomKind, type Topic } from "../../model/topic.ts";
import { isGuest, isService, type Right, type User } from "../../model/user.ts";
import { describedAs, policyText } from "./policy-names.ts";
import type { Runtime } from "./runtime.ts";

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/** The subject of a policy: a method call; or, without `method`, a connection to `room` or to the whole hub. */
export interface Call extends Runtime {
  readonly hub: string;
  readonly method?: string;
  /** Undefined for method calls and for connections to the whole hub. */
  readonly room?: Topic;
  /** Null only in tests. A client without a token, at a hub that is `anonymous`, is a user as well (`isGuest`). */
  readonly user: User | null;
  /** The arguments as the caller sent them: policies run before validation. Empty without `method`. */
  readonly args: readonly unknown[];
}

/**
 * Allows (true) or refuses (false) a call. Refused calls fail with `forbidden`. A policy may throw a `HubError` to
 * refuse with another code; any other exception reaches the caller as `internal`.
 */
export type Policy = (call: Call) => Awaitable<boolean>;

/** Allows every call. */
export const anyone: Policy = describedAs("anyone", () => true);
/** Refuses every call. */
export const nobody: Policy = describedAs("nobody", () => false);
/** Allows users, and refuses calls without one, and guests of a hub that is `anonymous`. */
export const signedIn: Policy = describedAs(
  "signedIn",
  ({ user }: Call) => user !== null && !isGuest(user),
);

/**
 * In the place of a policy, `role` for `role("Admin")` would give a function, which is no refusal. Without parts,
 * `every()` would admit everybody.
 */
function checkParts(parts: readonly unknown[], isFit: (part: unknown) => boolean): void {
  if (parts.length === 0 || !parts.every(isFit))
    throw new TypeError(
      'A policy is made by a call with arguments: role("Admin"), every(signedIn, role("Admin")).',
    );
}

const isName = (name: unknown): boolean => typeof name === "string";

/** Allows users with at least one of these roles. */
export const role = (...anyOf: string[]): Policy => {
  checkParts(anyOf, isName);
  return describedAs(
    `role(${anyOf.map((name) => JSON.stringify(name)).join(", ")})`,
    ({ user }: Call) => anyOf.some((name) => user?.roles.includes(name)),
  );
};

/** Allows users whose token has this claim, with this value or with an array that contains it. */
export const claim = (name: string, value: unknown): Policy => {
  checkParts([name], isName);
  return describedAs(`claim(${JSON.stringify(name)}, …)`, ({ user }: Call) => {
    const actual = user && Object.hasOwn(user.claims, name) ? user.claims[name] : undefined;
    return Array.isArray(actual)
      ? actual.includes(value)
      : actual !== undefined && actual === value;
  });
};

/** Allows calls that all policies allow. They run in order, up to the first refusal. */
export const every = (...policies: Policy[]): Policy => {
  checkParts(policies, isPolicy);
  return describedAs(`every(${policies.map(policyText).join(", ")})`, async (call: Call) => {
    for (const policy of policies) if (!(await policy(call))) return false;
    return true;
  });
};

/** Allows calls that at least one policy allows. They run in order, up to the first that allows. */
export const some = (...policies: Policy[]): Policy => {
  checkParts(policies, isPolicy);
  return describedAs(`some(${policies.map(policyText).join(", ")})`, async (call: Call) => {
    for (const policy of policies) if (await policy(call)) return true;
    return false;
  });
};

const MAKERS: ReadonlySet<unknown> = new Set([role, claim, every, some]);

/** Whether a value may be a policy: `role` for `role("Admin")` is none. */
export const isPolicy = (value: unknown): value is Policy =>
  typeof value === "function" && !MAKERS.has(value);

/** The subject of policies for a room: a user who would enter it, or read its history or presence. */
export const callAt = (
  { name: hub }: { readonly name: string },
  subject: Runtime & { readonly user: User; readonly room: Topic },
) => ({
  hub,
  ...subject,
  user: freezeDeep(subject.user),
  room: freezeDeep(subject.room),
  args: [],
});

/** Whether the hub's own policy, if it has one, allows a connection to the whole hub. */
export const mayUse = (
  { name: hub, authorize }: { readonly name: string; readonly authorize?: Policy | undefined },
  subject: Runtime & { readonly user: User },
): Promise<boolean> =>
  allowed(authorize, { hub, ...subject, user: freezeDeep(subject.user), args: [] });

/** A policy that gives nothing refuses; that there is none does not. */
const allowed = async (policy: Policy | undefined, call: Call): Promise<boolean> =>
  !policy || Boolean(await policy(call));

/** The part of a served hub that has the rules of its rooms. */
interface RoomRulesOwner {
  readonly hub: {
    readonly settings: {
      readonly authorize?: Policy;
      readonly rooms?: { readonly [K in RoomKind]?: RoomRules };
    };
  };
}

/** The rules that apply to a room. */
export interface CheckedRules extends RoomRules {
  /** For a user's own room: the hub's policy, because `enter` does not apply to the room's own user. */
  readonly authorize?: Policy | undefined;
}

/** The hub's rules for a room. Undefined for `all`, and for kinds of rooms without rules. */
export function rulesAt({ hub }: RoomRulesOwner, { kind }: Topic): CheckedRules | undefined {
  const { authorize, rooms } = hub.settings;
  if (kind === "user") return { ...rooms?.user, authorize };
  return isRoomKind(kind) ? rooms?.[kind] : undefined;
}

/** Access to one kind of room. Policies see the room as `call.room`. */
export interface RoomRules {
  /** Users who may join, and so read presence. Default: none. */
  readonly enter?: Policy;
  /**
   * Users who may read history, and get a replay when they join. Default: those who may enter. May admit others as
   * well, except to a user's own room.
   */
  readonly history?: Policy;
  /**
   * Beginnings of group names that stand for rooms of this kind: with `order-` in `order`, hub code and services that
   * name the group `order-42` mean the room `order:42`. Clients name rooms by their kind alone. Default: none.
   */
  readonly groups?: readonly string[];
}

/**
 * Whether the user may join the room. Services may join every room except `all`, which clients cannot join; a token may
 * grant it (`sub`). A user's own room is open to that user only, if the hub's `authorize` admits the user, because all
 * members of a room get the messages to `all` as well. For other rooms the hub's `enter` decides
 * (docs/design/rest-and-tokens.md#ro1).
 */
export async function mayEnter(
  call: Call & { room: Topic },
  rules?: CheckedRules,
): Promise<boolean> {
  const { user, room, ...ofHub } = call;
  if (!user || room.kind === "all") return false;
  if (isService(user) || hasCapability(user, "sub", room)) return true;
  if (room.kind !== "user") return (await rules?.enter?.(call)) ?? false;
  if (room.name !== user.id || isGuest(user)) return false;
  return allowed(rules?.authorize, { ...ofHub, user });
}

/**
 * Like `mayEnter`, by the capability `hst` or the hub's rule for history, which may admit users who may not enter; but
 * for a user's own room only among those who may. Rejects with the policy's error.
 */
export async function mayReadHistory(
  call: Call & { room: Topic },
  rules?: CheckedRules,
): Promise<boolean> {
  const { user, room } = call;
  if (!user) return false;
  if (isService(user) || hasCapability(user, "hst", room)) return true;
  const history = rules?.history;
  const isOpen = (history && room.kind !== "user") || (await mayEnter(call, rules));
  return isOpen && (!history || history(call));
}

/** Presence is open to users who may enter, and to those with the capability `prs`. */
export const mayReadPresence = async (
  call: Call & { room: Topic },
  rules?: CheckedRules,
): Promise<boolean> =>
  (call.user !== null && hasCapability(call.user, "prs", call.room)) || mayEnter(call, rules);

/**
 * Whether the user may publish without hub code (`$/publish`): with the capability `pub`, or as a service; in `all`
 * only as a service. Grant `pub` only to trusted clients: the hub does not validate their publications.
 */
export const mayPublish = (user: User, room: Topic): boolean =>
  isService(user) || (room.kind !== "all" && hasCapability(user, "pub", room));

const hasCapability = (user: User, right: Right, room: Topic): boolean =>
  user.caps.length > 0 && allows(user, right, formatTopic(room));
