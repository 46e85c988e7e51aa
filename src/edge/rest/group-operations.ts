// What is for a group: saying, closing, who is in it.

import { z } from "zod";
import { HubError } from "../../model/errors.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import type { Asked } from "./hub-request.ts";
import { noConnection } from "./hub-request.ts";
import { closing } from "./hub-operations.ts";
import { Application, Excluded, Message, operation, Reason } from "./operation.ts";
import { readPlace, writePlace } from "./paging.ts";

const exists = operation({
  id: "groupExists",
  method: "GET",
  path: "/groups/{group}",
  summary: "Whether any connection is in the group.",
  query: { application: Application },
  finds: true,
  handle: async (asked) => {
    const { connections } = await asked.room(asked.group).presence({ limit: 0 });
    if (connections === 0) throw new HubError("not_found", "Nobody is in that group.");
  },
});

const list = operation({
  id: "listConnectionsInGroup",
  method: "GET",
  path: "/groups/{group}/connections",
  summary: "The group's connections, page by page.",
  query: {
    maxpagesize: z.coerce.number().int().min(1).max(200).default(200),
    top: z.coerce.number().int().min(1).optional(),
    continuationToken: z.string().max(2_000).optional(),
    application: Application,
  },
  answer: z.object({
    value: z.array(z.object({ connectionId: z.string(), userId: z.string() })),
    nextLink: z.string().optional(),
  }),
  handle: async (asked, { query: { maxpagesize, top = Infinity, continuationToken } }) => {
    const after = continuationToken === undefined ? undefined : readPlace(continuationToken);
    const limit = Math.min(maxpagesize, top);
    const query = { limit, ...(after && { after }) };
    const { connections: value, next } = await asked.room(asked.group).connectionsIn(query);
    const more = next && top > limit;
    return {
      body: more ? { value, nextLink: linkTo(asked, writePlace(next), top - limit) } : { value },
    };
  },
});

function linkTo({ request }: Asked, token: string, top: number): string {
  const url = new URL(request.url);
  url.searchParams.delete("access_token");
  url.searchParams.set("continuationToken", token);
  if (Number.isFinite(top)) url.searchParams.set("top", String(top));
  return url.href;
}

const send = operation({
  id: "sendToGroup",
  method: "POST",
  path: "/groups/{group}/:send",
  summary: "Says something to a group.",
  query: { excluded: Excluded, application: Application },
  body: Message,
  bodyKind: "message",
  status: 202,
  handle: async (asked, { query: { excluded }, body }) => {
    const draft = { ...asked.draft(body), ...(excluded && { except: excluded }) };
    await asked.room(asked.group).publish(draft);
  },
});

const closeConnections = operation({
  id: "closeGroupConnections",
  method: "POST",
  path: "/groups/{group}/:closeConnections",
  summary: "Closes every connection in the group.",
  query: { excluded: Excluded, reason: Reason, application: Application },
  status: 204,
  handle: async (asked, { query }) => {
    await asked.room(asked.group).everywhere(...closing(query));
  },
});

/** Throws `connection_not_found`. */
export async function put(asked: Asked, topic: Topic, type: "join" | "leave"): Promise<void> {
  if (topic.kind === "all") throw new HubError("invalid_name", "Everybody is in all.");
  if (!(await asked.command({ type, room: formatTopic(topic) }))) throw noConnection();
}

const add = operation({
  id: "addConnectionToGroup",
  method: "PUT",
  path: "/groups/{group}/connections/{connection}",
  summary: "Puts a connection into the group.",
  query: { application: Application },
  finds: true,
  handle: (asked) => put(asked, asked.group, "join"),
});

const remove = operation({
  id: "removeConnectionFromGroup",
  method: "DELETE",
  path: "/groups/{group}/connections/{connection}",
  summary: "Takes a connection out of the group.",
  query: { application: Application },
  finds: true,
  handle: (asked) => put(asked, asked.group, "leave"),
});

export const groups = [exists, list, send, closeConnections, add, remove];
