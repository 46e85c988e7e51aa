// Operations on one group: publishing, closing, membership. A group is a room of the kind `group`, and exists as soon
// as it is addressed. Operations for rooms of all kinds are in room-operations.ts.

import * as z from "zod/mini";
import { HubError } from "../../model/errors.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import { noConnection, type HubRequest } from "./hub-request.ts";
import { closeArguments } from "./hub-operations.ts";
import { azureOperation } from "./operation.ts";
import { Excluded, Message, Reason } from "./operation-schemas.ts";
import { readPlace, writePlace } from "./paging.ts";
import { publishTo } from "./publish-operations.ts";

// Counts connections on all objects, not only on the room's own. `limit: 0` requests only the room's counts.
const exists = azureOperation({
  id: "groupExists",
  method: "GET",
  path: "/groups/{group}",
  summary: "Whether any connection is in the group.",
  finds: true,
  missing: "Warning.Group.NotExisted",
  handle: async (hub) => {
    const { connections } = await hub.room(hub.group).presence({ limit: 0 });
    if (connections === 0) throw new HubError("not_found", "Nobody is in that group.");
  },
});

// Pages are ordered by holding object and connection id. A connection that joins or leaves between two pages may be
// missed; all others are listed once.
const list = azureOperation({
  id: "listConnectionsInGroup",
  method: "GET",
  path: "/groups/{group}/connections",
  summary: "The group's connections, page by page.",
  query: {
    /** The most entries of one page; the limit is Azure's. */
    maxpagesize: z._default(z.coerce.number().check(z.int(), z.minimum(1), z.maximum(200)), 200),
    /** The most entries of all pages together. */
    top: z.optional(z.coerce.number().check(z.int(), z.minimum(1))),
    continuationToken: z.optional(z.string().check(z.maxLength(2_000))),
  },
  answer: z.object({
    value: z.array(z.object({ connectionId: z.string(), userId: z.string() })),
    nextLink: z.optional(z.string()),
  }),
  handle: async (hub, { query: { maxpagesize, top = Infinity, continuationToken } }) => {
    const after = continuationToken === undefined ? undefined : readPlace(continuationToken);
    const limit = Math.min(maxpagesize, top);
    const query = { limit, ...(after && { after }) };
    const { connections: value, next } = await hub.room(hub.group).connectionsIn(query);
    const more = next && top > limit;
    return {
      body: more ? { value, nextLink: nextLink(hub, writePlace(next), top - limit) } : { value },
    };
  },
});

/**
 * The URL of the next page: the request's own with the continuation, and with the rest of `top`. Without the request's
 * access token: links end up in logs, and the client adds its token to every request anyway.
 */
function nextLink({ request }: HubRequest, token: string, top: number): string {
  const url = new URL(request.url);
  url.searchParams.delete("access_token");
  url.searchParams.set("continuationToken", token);
  if (Number.isFinite(top)) url.searchParams.set("top", String(top));
  return url.href;
}

// Answered when the room has accepted the message, before it is delivered. Excluded connections do not get it, and see
// a gap in the offsets. `publish` (publish-operations.ts) answers with the position.
const send = azureOperation({
  id: "sendToGroup",
  method: "POST",
  path: "/groups/{group}/:send",
  summary: "Publishes a message to a group.",
  query: { excluded: Excluded },
  body: Message,
  bodyKind: "message",
  isKeyed: true,
  status: 202,
  handle: async (hub, { query: { excluded }, body }) => {
    await publishTo(hub, hub.group, { ...body, excluded });
  },
});

// Closes connections on all objects, not only on the room's own. A connection that joins meanwhile may stay open.
const closeConnections = azureOperation({
  id: "closeGroupConnections",
  method: "POST",
  path: "/groups/{group}/:closeConnections",
  summary: "Closes every connection in the group.",
  query: { excluded: Excluded, reason: Reason },
  status: 204,
  handle: async (hub, { query }) => {
    await hub.room(hub.group).everywhere(...closeArguments(query));
  },
});

/**
 * Joins the connection of the path to a room, or removes it. Idempotent. The hub's policies are not checked: services
 * may always do this. Throws `connection_not_found`, and `invalid_name` for the room of the whole hub.
 */
export async function setMembership(
  hub: HubRequest,
  topic: Topic,
  type: "join" | "leave",
): Promise<void> {
  if (topic.kind === "all") throw new HubError("invalid_name", "Every user is in all.");
  if (!(await hub.command({ type, room: formatTopic(topic) }))) throw noConnection();
}

// The membership ends with the connection; that of `addUserToGroup` outlives connections. The hub's limit of groups
// for a connection applies: `too_many_groups`.
const add = azureOperation({
  id: "addConnectionToGroup",
  method: "PUT",
  path: "/groups/{group}/connections/{connection}",
  summary: "Adds a connection to the group.",
  finds: true,
  missing: "Error.Connection.NotExisted",
  handle: (hub) => setMembership(hub, hub.group, "join"),
});

const remove = azureOperation({
  id: "removeConnectionFromGroup",
  method: "DELETE",
  path: "/groups/{group}/connections/{connection}",
  summary: "Removes a connection from the group.",
  finds: true,
  missing: "Error.Connection.NotExisted",
  handle: (hub) => setMembership(hub, hub.group, "leave"),
});

export const groups = [exists, list, send, closeConnections, add, remove];
