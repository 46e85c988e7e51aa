// What is for a whole hub: saying, closing, commanding those a filter selects, tokens for its clients.

import { z } from "zod";
import { tenantAccessKey, signClientToken } from "../../auth/access-keys.ts";
import { CLOSE, HubError } from "../../model/errors.ts";
import { parseFilter } from "../../model/filter.ts";
import { canonicalName, ALL } from "../../model/topic.ts";
import type { Command, Selection } from "../../rooms/object/run-commands.ts";
import type { Asked } from "./hub-request.ts";
import { Application, Excluded, Message, operation, Reason } from "./operation.ts";

const send = operation({
  id: "broadcast",
  method: "POST",
  path: "/:send",
  summary: "Says something to every connection of the hub.",
  query: { excluded: Excluded, application: Application },
  body: Message,
  bodyKind: "message",
  status: 202,
  handle: async (asked, { query: { excluded }, body }) => {
    await asked.room(ALL).publish({ ...asked.draft(body), ...(excluded && { except: excluded }) });
  },
});

const closeConnections = operation({
  id: "closeConnections",
  method: "POST",
  path: "/:closeConnections",
  summary: "Closes every connection of the hub.",
  query: { excluded: Excluded, reason: Reason, application: Application },
  status: 204,
  handle: async (asked, { query }) => {
    await asked.room(ALL).everywhere(...closing(query));
  },
});

interface Closing {
  readonly excluded?: string[] | undefined;
  readonly reason?: string | undefined;
}

/** Who is meant, and the one command. */
export const closing = ({ excluded, reason }: Closing): [Selection, Command[]] => [
  excluded ? { except: excluded } : {},
  [closeFor(reason)],
];

export const closeFor = (reason?: string): Command => ({
  type: "close",
  why: CLOSE.dismissed,
  ...(reason && { reason }),
});

const SignalRCommand = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("SendMessage"), message: Message }),
  z.strictObject({ type: z.literal("JoinGroup"), group: z.string() }),
  z.strictObject({ type: z.literal("LeaveGroup"), group: z.string() }),
  z.strictObject({ type: z.literal("CloseConnection"), reason: Reason.nullable() }),
]);

const execute = operation({
  id: "execute",
  method: "POST",
  path: "/:execute",
  summary:
    "Does this, in its order, to every connection that the filter selects: OData over userId, connectionId and groups, with and, or, not, in, eq, ne, gt, ge, lt, le, startswith, endswith, contains, tolower, toupper, trim, length.",
  query: { filter: z.string().min(1).max(2_000).optional() },
  body: z.array(SignalRCommand).min(1).max(100),
  status: 202,
  handle: async (asked, { query: { filter }, body }) => {
    const commands = body.map((command) => commandOf(asked, command));
    await asked.room(ALL).everywhere(filter ? { filter: parseFilter(filter) } : {}, commands);
  },
});

function commandOf(asked: Asked, command: z.output<typeof SignalRCommand>): Command {
  switch (command.type) {
    case "SendMessage":
      return { type: "send", ...asked.draft(command.message) };
    case "JoinGroup":
      return { type: "join", room: `group:${canonicalName(command.group)}` };
    case "LeaveGroup":
      return { type: "leave", room: `group:${canonicalName(command.group)}` };
    case "CloseConnection":
      return closeFor(command.reason ?? undefined);
    default:
      return command satisfies never;
  }
}

/** Tokens live no longer than a year. */
const MINUTES_AT_MOST = 366 * 24 * 60;

const generateToken = operation({
  id: "generateClientToken",
  method: "POST",
  path: "/:generateToken",
  summary: "A token with which a client connects to /client/?hub={hub}; signed with an access key.",
  query: {
    userId: z.string().optional(),
    minutesToExpire: z.coerce.number().int().min(1).max(MINUTES_AT_MOST).default(60),
    application: Application,
  },
  answer: z.object({ token: z.string() }),
  handle: async (asked, { query: { userId, minutesToExpire } }) => {
    const { tenant, hub } = asked.domain;
    const aud = `${new URL(asked.request.url).origin}/client/?hub=${hub}`;
    const user = userId === undefined ? {} : { nameid: canonicalName(userId) };
    const claims = { aud, ...user, jti: crypto.randomUUID() };
    const token = await signClientToken(
      claims,
      { tenant, seconds: minutesToExpire * 60 },
      asked.env,
    );
    if (token === undefined) throw noKeys();
    return { body: { token } };
  },
});

/** What an SDK that came with an own-issuer token signs further requests with: a key of its tenant only. */
export async function accessKey(tenant: string, env: Asked["env"]): Promise<object> {
  const key = await tenantAccessKey(tenant, env);
  if (!key) throw noKeys();
  return key;
}

const noKeys = () => new HubError("no_access_keys", "ACCESS_KEYS is not configured.");

export const hubWide = [send, closeConnections, execute, generateToken];
