// What is for a user, wherever their connections are: saying, closing, groups that outlive connections, tokens.

import { z } from "zod";
import { HubError } from "../../model/errors.ts";
import type { Asked } from "./hub-request.ts";
import { closing } from "./hub-operations.ts";
import { Application, Excluded, Message, operation, Reason } from "./operation.ts";

const exists = operation({
  id: "userExists",
  method: "GET",
  path: "/users/{user}",
  summary: "Whether the user has a connection to this hub.",
  query: { application: Application },
  finds: true,
  handle: async (asked) => {
    if ((await asked.account().command(asked.domain.hub, {}, [])) === 0)
      throw new HubError("not_found", "That user has no connection.");
  },
});

const send = operation({
  id: "sendToUser",
  method: "POST",
  path: "/users/{user}/:send",
  summary: "Says something to a user's connections.",
  query: { application: Application },
  body: Message,
  bodyKind: "message",
  status: 202,
  handle: async (asked, { body }) => {
    await asked.room({ kind: "user", name: asked.userId }).publish(asked.draft(body));
  },
});

const closeConnections = operation({
  id: "closeUserConnections",
  method: "POST",
  path: "/users/{user}/:closeConnections",
  summary: "Closes the user's connections to this hub.",
  query: { excluded: Excluded, reason: Reason, application: Application },
  status: 204,
  handle: async (asked, { query }) => {
    await asked.account().command(asked.domain.hub, ...closing(query));
  },
});

const groupOf = (asked: Asked) => [asked.domain.hub, asked.group.name] as const;

const add = operation({
  id: "addUserToGroup",
  method: "PUT",
  path: "/users/{user}/groups/{group}",
  summary:
    "Puts all connections of the user into the group, those to come as well: for ttl seconds, without one for a year (the newest 100 groups); with 0 only those of now.",
  query: {
    ttl: z.coerce.number().int().min(0).max(31_622_400).optional(),
    application: Application,
  },
  handle: async (asked, { query: { ttl } }) => {
    await asked.account().addToGroup(...groupOf(asked), ttl);
  },
});

const isIn = operation({
  id: "userIsInGroup",
  method: "GET",
  path: "/users/{user}/groups/{group}",
  summary: "Whether the user, or a connection of theirs, is in the group.",
  query: { application: Application },
  finds: true,
  handle: async (asked) => {
    if (!(await asked.account().isInGroup(...groupOf(asked))))
      throw new HubError("not_found", "That user is not in that group.");
  },
});

const remove = operation({
  id: "removeUserFromGroup",
  method: "DELETE",
  path: "/users/{user}/groups/{group}",
  summary: "Takes the user and their connections out of the group.",
  query: { application: Application },
  status: 204,
  handle: (asked) => asked.account().removeFromGroup(...groupOf(asked)),
});

const removeFromAll = operation({
  id: "removeUserFromAllGroups",
  method: "DELETE",
  path: "/users/{user}/groups",
  summary: "Takes the user and their connections out of all groups of this hub.",
  query: { application: Application },
  status: 204,
  handle: (asked) => asked.account().removeFromAllGroups(asked.domain.hub),
});

/** Seconds since 1970, up to the year 9999. */
const Seconds = z.int().min(0).max(253_402_300_799);

const revoke = operation({
  id: "revokeTokens",
  method: "POST",
  path: "/users/{user}/:revoke",
  summary:
    "Takes tokens of the user back, in all hubs of the tenant: the one with this jti, those issued before a time, or, where neither is said, all that were issued until now. Their connections are closed with 4511. expire_at says when the tokens end anyway; without it a jti is remembered for a year.",
  body: z
    .strictObject({
      jti: z.string().min(1).max(256).optional(),
      issued_before: Seconds.optional(),
      expire_at: Seconds.optional(),
    })
    .default({}),
  handle: async (asked, { body: { jti, issued_before: before, expire_at: end } }) => {
    await asked.account().revoke({
      ...(jti !== undefined && { jti }),
      ...(before !== undefined && { before }),
      ...(end !== undefined && { until: (end + LEEWAY) * 1000 }),
    });
  },
});

/** A token counts so much longer than it says. */
const LEEWAY = 60;

const ban = operation({
  id: "banUser",
  method: "POST",
  path: "/users/{user}/:ban",
  summary: "Keeps the user out of all hubs of the tenant for a time, and closes their connections.",
  body: z.strictObject({
    seconds: z.int().min(1).max(31_622_400),
    reason: z.string().min(1).max(200).optional(),
  }),
  status: 204,
  handle: (asked, { body: { seconds, reason } }) => asked.account().ban(seconds, reason),
});

const unban = operation({
  id: "unbanUser",
  method: "POST",
  path: "/users/{user}/:unban",
  summary: "Ends a ban.",
  status: 204,
  handle: (asked) => asked.account().unban(),
});

export const users = [
  ...[exists, send, closeConnections, add, isIn, remove, removeFromAll],
  ...[revoke, ban, unban],
];
