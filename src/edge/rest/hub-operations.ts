// Operations on a whole hub: broadcast, close, commands to connections that a filter selects, and tokens for clients.
// They go to the hub's room `all`, which every object with connections of the hub follows.

import * as z from "zod/mini";
import { tenantAccessKey, signClientToken } from "../../auth/access-keys.ts";
import { CLOSE, HubError } from "../../model/errors.ts";
import { parseFilter, withRooms, type Filter } from "../../model/filter.ts";
import { groupTopic, roomBehind } from "../../dispatch/define/group-names.ts";
import { formatTopic, ALL } from "../../model/topic.ts";
import { tokenUserId } from "../../model/user.ts";
import type { Command, Selection } from "../../rooms/rpc/command.ts";
import type { HubRequest } from "./hub-request.ts";
import { azureOperation, operation } from "./operation.ts";
import { Excluded, Message, Reason } from "./operation-schemas.ts";
import { publishTo } from "./publish-operations.ts";

// Answered when the room `all` has accepted the message, before it is delivered to the objects that follow the room.
const send = azureOperation({
  id: "broadcast",
  method: "POST",
  path: "/:send",
  summary: "Publishes a message to every connection of the hub.",
  query: { excluded: Excluded },
  body: Message,
  bodyKind: "message",
  isKeyed: true,
  status: 202,
  handle: async (hub, { query: { excluded }, body }) => {
    await publishTo(hub, ALL, { ...body, excluded });
  },
});

// Answered when all objects that follow `all` have closed their connections. Clients that connect meanwhile stay.
const closeConnections = azureOperation({
  id: "closeConnections",
  method: "POST",
  path: "/:closeConnections",
  summary: "Closes every connection of the hub.",
  query: { excluded: Excluded, reason: Reason },
  status: 204,
  handle: async (hub, { query }) => {
    await hub.room(ALL).everywhere(...closeArguments(query));
  },
});

/** The query of every operation that closes several connections. */
interface CloseQuery {
  readonly excluded?: string[] | undefined;
  readonly reason?: string | undefined;
}

/** The selected connections and the command that closes them, in the form that rooms and accounts take. */
export const closeArguments = ({ excluded, reason }: CloseQuery): [Selection, Command[]] => [
  excluded ? { except: excluded } : {},
  [closeCommand(reason)],
];

/** Closes with a code after which clients do not reconnect. */
export const closeCommand = (reason?: string): Command => ({
  type: "close",
  why: CLOSE.dismissed,
  ...(reason && { reason }),
});

/**
 * Azure's command objects, with its names. Unknown members are refused, because a misspelt one would change the meaning
 * of a command for many connections.
 */
const SignalRCommand = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("SendMessage"), message: Message }),
  z.strictObject({ type: z.literal("JoinGroup"), group: z.string() }),
  z.strictObject({ type: z.literal("LeaveGroup"), group: z.string() }),
  z.strictObject({ type: z.literal("CloseConnection"), reason: z.nullable(Reason) }),
]);

// Each object evaluates the filter against the connections it holds. Every connection gets the commands in their order;
// there is no order among connections. All commands are checked before the first is sent. Throws `invalid_filter`.
const execute = operation({
  id: "execute",
  method: "POST",
  path: "/:execute",
  summary:
    "Runs these commands, in order, on every connection that the filter selects: OData over userId, connectionId and groups, with and, or, not, in, eq, ne, gt, ge, lt, le, startswith, endswith, contains, tolower, toupper, trim, length.",
  query: { filter: z.optional(z.string().check(z.minLength(1), z.maxLength(2_000))) },
  body: z.array(SignalRCommand).check(z.minLength(1), z.maxLength(100)),
  status: 202,
  handle: async (hub, { query: { filter }, body }) => {
    const commands = body.map((command) => commandOf(hub, command));
    await hub.room(ALL).everywhere(filter ? { filter: filterOf(hub, filter) } : {}, commands);
  },
});

/** A group in `'order-42' in groups` may stand for another room. Throws `invalid_filter` or `invalid_name`. */
const filterOf = ({ served }: HubRequest, text: string): Filter =>
  withRooms(parseFilter(text), (group) => {
    const room = roomBehind(served, group);
    return room && formatTopic(room);
  });

/**
 * The command as objects run it. The name of a group becomes the canonical topic of the group, or of the room that it
 * stands for, so that objects need only compare text. Throws `too_large` or `invalid_name`.
 */
function commandOf(hub: HubRequest, command: z.output<typeof SignalRCommand>): Command {
  switch (command.type) {
    case "SendMessage":
      return { type: "send", ...hub.draft(command.message) };
    case "JoinGroup":
      return { type: "join", room: formatTopic(groupTopic(hub.served, command.group)) };
    case "LeaveGroup":
      return { type: "leave", room: formatTopic(groupTopic(hub.served, command.group)) };
    case "CloseConnection":
      return closeCommand(command.reason ?? undefined);
    default:
      return command satisfies never;
  }
}

/** The longest lifetime of a token: a leap year. */
const MINUTES_AT_MOST = 366 * 24 * 60;

// The audience is the client URL of this hub alone. Without a user id, all connections made with one token are one
// anonymous user.
const generateToken = azureOperation({
  id: "generateClientToken",
  method: "POST",
  path: "/:generateToken",
  summary: "A client's token for /client/?hub={hub}, signed with an access key.",
  query: {
    userId: z.optional(z.string()),
    minutesToExpire: z._default(
      z.coerce.number().check(z.int(), z.minimum(1), z.maximum(MINUTES_AT_MOST)),
      60,
    ),
  },
  answer: z.object({ token: z.string() }),
  handle: async (hub, { query: { userId, minutesToExpire } }) => {
    const { tenant, hub: name } = hub.domain;
    const aud = `${new URL(hub.request.url).origin}${hub.prefix}/client/?hub=${name}`;
    const user = userId === undefined ? {} : { nameid: tokenUserId(userId) };
    const claims = { aud, ...user, jti: crypto.randomUUID() };
    const token = await signClientToken(claims, { tenant, seconds: minutesToExpire * 60 }, hub.env);
    if (token === undefined) throw noKeys();
    return { body: { token } };
  },
});

/**
 * The access key of a tenant, in Azure's form: an SDK that authenticated with an issuer's token signs its further
 * requests with it. Each tenant's key is derived, and valid for that tenant only. Throws `no_access_keys`.
 */
export async function accessKey(tenant: string, env: HubRequest["env"]): Promise<object> {
  const key = await tenantAccessKey(tenant, env);
  if (!key) throw noKeys();
  return key;
}

const noKeys = () => new HubError("no_access_keys", "ACCESS_KEYS is not configured.");

export const hubOperations = [send, closeConnections, execute, generateToken];
