// What is for one connection.

import { z } from "zod";
import { HubError, publicError } from "../../model/errors.ts";
import { noConnection } from "./hub-request.ts";
import { closeFor } from "./hub-operations.ts";
import { Application, Message, operation, Reason } from "./operation.ts";

const exists = operation({
  id: "connectionExists",
  method: "GET",
  path: "/connections/{connection}",
  summary: "Whether the connection is there.",
  query: { application: Application },
  finds: true,
  handle: async (asked) => asked.mustCommand(),
});

const close = operation({
  id: "closeConnection",
  method: "DELETE",
  path: "/connections/{connection}",
  summary: "Closes the connection; one that is gone is closed.",
  query: { reason: Reason, application: Application },
  handle: async (asked, { query: { reason } }) => {
    await asked.command(closeFor(reason));
  },
});

const send = operation({
  id: "sendToConnection",
  method: "POST",
  path: "/connections/{connection}/:send",
  summary: "Says something to one connection; where it is gone, nobody hears it.",
  query: { application: Application },
  body: Message,
  bodyKind: "message",
  status: 202,
  handle: async (asked, { body }) => {
    await asked.command({ type: "send", ...asked.draft(body) });
  },
});

const invoke = operation({
  id: "invokeConnection",
  method: "POST",
  path: "/connections/{connection}/:invoke",
  summary: "Calls the client and waits for its result, for as long as the hub lets clients answer.",
  query: { application: Application },
  body: Message,
  bodyKind: "message",
  answer: z.object({ result: z.unknown().optional() }),
  finds: true,
  handle: async (asked, { body }) => {
    const { target, ...params } = asked.draft(body);
    try {
      const result = await asked.holder().ask(asked.connectionId, target, params);
      return { body: result === undefined ? {} : { result } };
    } catch (error) {
      throw lostIn(error);
    }
  },
});

/** A client that went away instead of answering is gone. */
function lostIn(error: unknown): unknown {
  return publicError(error).code === "interrupted" ? noConnection() : error;
}

/** A client's own stream invocation, answered from outside: its id is the stream's. */
const Completed = z.enum(["true", "false"]).optional();

const sendItem = operation({
  id: "sendStreamItem",
  method: "POST",
  path: "/connections/{connection}/streams/{stream}/:send",
  summary: "Sends an item of a stream to a connection; with completed=true it is the last one.",
  query: { completed: Completed, application: Application },
  body: z.unknown(),
  status: 202,
  handle: async (asked, { query: { completed }, body }) => {
    const stream = streamOf(asked.named("stream"));
    await asked.command(
      { type: "item", stream, item: asked.item(body ?? null) },
      ...(completed === "true" ? [{ type: "end", stream } as const] : []),
    );
  },
});

const completeStream = operation({
  id: "completeStream",
  method: "POST",
  path: "/connections/{connection}/streams/{stream}/:complete",
  summary: "Ends a stream to a connection; a reason makes it an error.",
  query: { reason: Reason, application: Application },
  status: 202,
  handle: async (asked, { query: { reason } }) => {
    const stream = streamOf(asked.named("stream"));
    await asked.command({ type: "end", stream, ...(reason && { error: reason }) });
  },
});

function streamOf(name: string): string {
  if (name.length <= 100 && name.trim() !== "") return name;
  throw new HubError("invalid_name", "A stream's id has 1–100 characters, not only blanks.");
}

const leaveGroups = operation({
  id: "removeConnectionFromAllGroups",
  method: "DELETE",
  path: "/connections/{connection}/groups",
  summary: "Takes the connection out of all groups.",
  query: { application: Application },
  handle: async (asked) => {
    await asked.command({ type: "leaveGroups" });
  },
});

export const connections = [exists, close, send, invoke, sendItem, completeStream, leaveGroups];
