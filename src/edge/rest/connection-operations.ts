// Operations on one connection, addressed by its public id. The id names the object that holds the socket, so that no
// lookup is needed; a malformed id is treated as that of a connection that does not exist.

import * as z from "zod/mini";
import { HubError, publicError } from "../../model/errors.ts";
import { unlessRefused } from "../../rooms/rpc/fault.ts";
import { noConnection } from "./hub-request.ts";
import { closeCommand } from "./hub-operations.ts";
import { azureOperation } from "./operation.ts";
import { Message, Reason } from "./operation-schemas.ts";

// 200 with an empty body, or 404 `connection_not_found`; HEAD as Azure's SDKs send it. Asks the holding object for the
// connection with an empty list of commands.
const exists = azureOperation({
  id: "connectionExists",
  method: "GET",
  path: "/connections/{connection}",
  summary: "Whether the connection exists.",
  finds: true,
  missing: "Warning.Connection.NotExisted",
  handle: async (hub) => hub.mustCommand(),
});

// Idempotent, as DELETE is: closing a connection that does not exist succeeds. The client gets the reason with the
// close, and does not reconnect by itself.
const close = azureOperation({
  id: "closeConnection",
  method: "DELETE",
  path: "/connections/{connection}",
  summary: "Closes the connection, if it exists.",
  query: { reason: Reason },
  handle: async (hub, { query: { reason } }) => {
    await hub.command(closeCommand(reason));
  },
});

// 202, as in Azure: the holding object has accepted the message; whether the client received it is unknown. A
// connection that does not exist is no error. The message is in no log, and is not replayed to a client that
// reconnects.
const send = azureOperation({
  id: "sendToConnection",
  method: "POST",
  path: "/connections/{connection}/:send",
  summary: "Sends a message to one connection, if it exists.",
  body: Message,
  bodyKind: "message",
  status: 202,
  handle: async (hub, { body }) => {
    await hub.command({ type: "send", ...hub.draft(body) });
  },
});

// The only operation that waits for a client. The client may have run the method even if the answer is an error: a
// repetition runs it again. Throws `connection_not_found`, `timed_out`, or `client_error` with the client's own
// message.
const invoke = azureOperation({
  id: "invokeConnection",
  method: "POST",
  path: "/connections/{connection}/:invoke",
  summary: "Invokes a client method, and returns its result, within `answerSeconds`.",
  body: Message,
  bodyKind: "message",
  answer: z.object({ result: z.optional(z.unknown()) }),
  finds: true,
  handle: async (hub, { body }) => {
    const { target, ...params } = hub.draft(body);
    try {
      const reply = await hub.holder().ask(hub.connectionId, target, params);
      const { result } = unlessRefused(reply);
      return { body: result === undefined ? {} : { result } };
    } catch (error) {
      throw missingIfInterrupted(error);
    }
  },
});

/** A connection that closed before it answered is reported like one that never existed. */
function missingIfInterrupted(error: unknown): unknown {
  return publicError(error).code === "interrupted" ? noConnection() : error;
}

/** Query flags are text; anything but these two values is `invalid_arguments`. */
const Completed = z.optional(z.enum(["true", "false"]));

// Answers a stream invocation of the client from outside the hub; the stream's id is the client's invocation id.
// Items arrive in the order of the answered requests. The last item and the stream's end are sent in one call, so that
// nothing comes between.
const sendItem = azureOperation({
  id: "sendStreamItem",
  method: "POST",
  path: "/connections/{connection}/streams/{stream}/:send",
  summary: "Sends an item of a stream to a connection; with completed=true it is the last one.",
  query: { completed: Completed },
  body: z.unknown(),
  status: 202,
  handle: async (hub, { query: { completed }, body }) => {
    const stream = checkStreamId(hub.parameter("stream"));
    await hub.command(
      { type: "item", stream, item: hub.item(body ?? null) },
      ...(completed === "true" ? [{ type: "end", stream } as const] : []),
    );
  },
});

// Whether the client still waits for this stream is unknown; a client ignores the end of a stream it does not know.
const completeStream = azureOperation({
  id: "completeStream",
  method: "POST",
  path: "/connections/{connection}/streams/{stream}/:complete",
  summary:
    "Ends a stream to a connection; a reason, or error as Azure's SDK names it, makes it an error.",
  query: { reason: Reason, error: Reason },
  status: 202,
  handle: async (hub, { query: { error, reason = error } }) => {
    const stream = checkStreamId(hub.parameter("stream"));
    await hub.command({ type: "end", stream, ...(reason && { error: reason }) });
  },
});

/** Throws `invalid_name`. */
function checkStreamId(name: string): string {
  if (name.length <= 100 && name.trim() !== "") return name;
  throw new HubError("invalid_name", "A stream's id has 1–100 characters, not only blanks.");
}

// A connection that was opened to a single group stays in that group: it did not join it.
const leaveGroups = azureOperation({
  id: "removeConnectionFromAllGroups",
  method: "DELETE",
  path: "/connections/{connection}/groups",
  summary: "Removes the connection from all groups.",
  handle: async (hub) => {
    await hub.command({ type: "leaveGroups" });
  },
});

// In the order of the OpenAPI document.
export const connections = [exists, close, send, invoke, sendItem, completeStream, leaveGroups];
