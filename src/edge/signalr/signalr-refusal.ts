// Refusals of SignalR's own routes. Its clients show the body to their users, so it is a sentence of plain text, as in
// ASP.NET Core; our stable code is in a header.

import { NO_STORE } from "../answer/cache-headers.ts";
import { httpStatusOf, type ErrorCode } from "../../model/error-table.ts";

export const refusal = (code: ErrorCode, text: string, allow?: string): Response =>
  new Response(text, {
    status: httpStatusOf(code),
    headers: {
      ...NO_STORE,
      "content-type": "text/plain",
      "x-dormouse-error": code,
      ...(allow !== undefined && { allow }),
    },
  });

/** The answer to malformed, expired and foreign connection tokens alike. */
export const unknownConnection = (): Response =>
  refusal("connection_not_found", "No Connection with that ID");

/**
 * The same answer for a connection that has ended, with a code that is not logged: a client that stops sends Close and
 * DELETE at the same time, and the later of the two finds no connection.
 */
export const endedConnection = (): Response =>
  refusal("connection_ended", "No Connection with that ID");

/** All requests need a connection token, except the negotiation and a WebSocket that skips it. */
export const missingToken = (): Response => refusal("invalid_request", "Connection ID required");
