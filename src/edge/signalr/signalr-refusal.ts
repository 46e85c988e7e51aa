// Refusals of SignalR's own routes. Its clients show the body to their users, so that it is a sentence of plain text,
// as ASP.NET Core has it; our stable code is in a header.

export const refusal = (status: number, text: string, code: string): Response =>
  new Response(text, {
    status,
    headers: {
      "cache-control": "no-store",
      "content-type": "text/plain",
      "x-dormouse-error": code,
    },
  });

/** Malformed, expired and foreign connection tokens alike. */
export const unknownConnection = (): Response =>
  refusal(404, "No Connection with that ID", "connection_not_found");

/** A token is needed for all requests but the negotiation and a WebSocket that skips it. */
export const missingToken = (): Response =>
  refusal(400, "Connection ID required", "invalid_request");
