// Operations on one user: messages to all their connections, memberships that outlive connections, revoked tokens and
// bans. Messages go to the user's room of this hub; the rest to the user's account, which lists the objects that hold
// their connections.

import * as z from "zod/mini";
import { HubError } from "../../model/errors.ts";
import type { HubRequest } from "./hub-request.ts";
import { closeArguments } from "./hub-operations.ts";
import { azureOperation, operation } from "./operation.ts";
import { Excluded, Message, Reason } from "./operation-schemas.ts";
import { publishTo } from "./publish-operations.ts";

// An empty list of commands counts the connections that really exist: the account's own list may be stale.
const exists = azureOperation({
  id: "userExists",
  method: "GET",
  path: "/users/{user}",
  summary: "Whether the user has a connection to this hub.",
  finds: true,
  missing: "Warning.User.NotExisted",
  handle: async (hub) => {
    if ((await hub.commandUser({}, [])) === 0)
      throw new HubError("not_found", "That user has no connection.");
  },
});

// Each connection of a user follows the user's room, wherever it is held. Answered when that room has accepted the
// message; a user without connections is no error.
const send = azureOperation({
  id: "sendToUser",
  method: "POST",
  path: "/users/{user}/:send",
  summary: "Publishes a message to a user's connections.",
  body: Message,
  bodyKind: "message",
  isKeyed: true,
  status: 202,
  handle: async (hub, { body }) => {
    await publishTo(hub, { kind: "user", name: hub.userId }, body);
  },
});

// Only connections to this hub. The user may reconnect at once, unless `ban` or `revoke` prevents it.
const closeConnections = azureOperation({
  id: "closeUserConnections",
  method: "POST",
  path: "/users/{user}/:closeConnections",
  summary: "Closes the user's connections to this hub.",
  query: { excluded: Excluded, reason: Reason },
  status: 204,
  handle: async (hub, { query }) => {
    await hub.commandUser(...closeArguments(query));
  },
});

/**
 * A membership as accounts keep it: the hub's name and the group's, without its kind. Throws `invalid_name` for a group
 * that stands for a room of another kind: accounts keep groups only.
 */
function membershipOf(hub: HubRequest): readonly [hub: string, group: string] {
  const { kind, name } = hub.group;
  if (kind !== "group")
    throw new HubError(
      "invalid_name",
      `That group is the room ${kind}:${name}, which has no users.`,
    );
  return [hub.domain.hub, name];
}

// The membership is stored with the account and applied to each connection of the user, now and when it connects.
// Repeating it renews `ttl`, in seconds; an account keeps the newest 100 groups of a hub.
const add = azureOperation({
  id: "addUserToGroup",
  method: "PUT",
  path: "/users/{user}/groups/{group}",
  summary:
    "Adds the user's connections, also later ones, to the group: for ttl seconds, or a year without it (the newest 100 groups); with 0 only present ones.",
  query: {
    ttl: z.optional(z.coerce.number().check(z.int(), z.minimum(0), z.maximum(31_622_400))),
  },
  handle: async (hub, { query: { ttl } }) => {
    await hub.account().addToGroup(...membershipOf(hub), ttl);
  },
});

// True for a stored membership, and if any connection of the user is in the group. 404 means false.
const isIn = azureOperation({
  id: "userIsInGroup",
  method: "GET",
  path: "/users/{user}/groups/{group}",
  summary: "Whether the user, or one of their connections, is in the group.",
  finds: true,
  missing: "Info.User.NotInGroup",
  handle: async (hub) => {
    if (!(await hub.account().isInGroup(...membershipOf(hub))))
      throw new HubError("not_found", "That user is not in that group.");
  },
});

// Idempotent. The stored membership is removed first, so that a connection opened meanwhile does not join again.
const remove = azureOperation({
  id: "removeUserFromGroup",
  method: "DELETE",
  path: "/users/{user}/groups/{group}",
  summary: "Removes the user and their connections from the group.",
  status: 204,
  handle: (hub) => hub.account().removeFromGroup(...membershipOf(hub)),
});

// Like `removeUserFromGroup`, for all stored memberships of this hub and all groups that connections have joined.
const removeFromAll = azureOperation({
  id: "removeUserFromAllGroups",
  method: "DELETE",
  path: "/users/{user}/groups",
  summary: "Removes the user and their connections from all groups of this hub.",
  status: 204,
  handle: (hub) => hub.account().removeFromAllGroups(hub.domain.hub),
});

/** Seconds since 1970, up to the year 9999. */
const Seconds = z.int().check(z.minimum(0), z.maximum(253_402_300_799));

// Applies to all hubs of the tenant, whatever hub the path names, because tokens do. Revocations add up: a token is
// refused if any of them matches it. A jti is remembered until `expire_at` plus the leeway of tokens; after that the
// token is refused as expired. Answered when the matching connections are closed, or an alarm is set that will close
// those on objects which could not be reached.
const revoke = operation({
  id: "revokeTokens",
  method: "POST",
  path: "/users/{user}/:revoke",
  summary:
    "Revokes tokens of the user, in all hubs of the tenant: that with this jti, those issued before a time, or without either all issued until now. Their connections are closed (4511). expire_at is the tokens' expiry; without it a jti is kept for a year, a time for good.",
  body: z._default(
    z.strictObject({
      jti: z.optional(z.string().check(z.minLength(1), z.maxLength(256))),
      issued_before: z.optional(Seconds),
      expire_at: z.optional(Seconds),
    }),
    {},
  ),
  handle: async (hub, { body: { jti, issued_before: before, expire_at: end } }) => {
    await hub.account().revoke({
      ...(jti !== undefined && { jti }),
      ...(before !== undefined && { before }),
      ...(end !== undefined && { until: (end + LEEWAY) * 1000 }),
    });
  },
});

/** Seconds that a token is accepted beyond its expiry. */
const LEEWAY = 60;

// A ban refuses new connections and closes the present ones, whatever their tokens, in all hubs of the tenant. A second
// ban replaces the first. Refused clients get the reason.
const ban = operation({
  id: "banUser",
  method: "POST",
  path: "/users/{user}/:ban",
  summary: "Bans the user from all hubs of the tenant for a time, and closes their connections.",
  body: z.strictObject({
    seconds: z.int().check(z.minimum(1), z.maximum(31_622_400)),
    reason: z.optional(z.string().check(z.minLength(1), z.maxLength(200))),
  }),
  status: 204,
  handle: (hub, { body: { seconds, reason } }) => hub.account().ban(seconds, reason),
});

// Succeeds also for a user without a ban.
const unban = operation({
  id: "unbanUser",
  method: "POST",
  path: "/users/{user}/:unban",
  summary: "Ends a ban.",
  status: 204,
  handle: (hub) => hub.account().unban(),
});

// While the storage of accounts is damaged, its users are refused rather than admitted without a check for bans. After
// a repair, open connections stay open, but the account does not know them until they reconnect.
const repair = operation({
  id: "repairAccount",
  method: "POST",
  path: "/users/{user}/:repair",
  summary:
    "Deletes a user's account that cannot be read (storage_corrupt): bans, revocations and memberships in all hubs, of all users who share its storage, about one in 64 of the tenant's. repaired is false if it can be read: nothing changes then.",
  answer: z.object({ repaired: z.boolean() }),
  handle: async (hub) => ({ body: { repaired: await hub.account().repair() } }),
});

export const users = [
  ...[exists, send, closeConnections, add, isIn, remove, removeFromAll],
  ...[revoke, ban, unban, repair],
];
