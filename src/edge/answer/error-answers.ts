// Answers to requests that failed. Every refusal has a stable code, in `x-dormouse-error` and, but for SignalR, in the
// body.

import { Refusal, refusalResponse } from "../../auth/authenticate.ts";
import { httpStatusOf } from "../../model/error-table.ts";
import { isUnexpected, publicError, type HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { isOverload } from "./overload.ts";

/** The answer to whatever a route threw. An unexpected error is logged, and shown as `internal`. */
export function refusedAnswer(error: unknown, inWords = false): Response {
  if (error instanceof Refusal) return refusalResponse(error);
  if (isOverload(error as Error)) return unavailable();
  const shown = publicError(error);
  if (isUnexpected(error)) logError("request_failed", { error });
  return errorAnswer(shown, httpStatusOf(shown.code), inWords);
}

const unavailable = (): Response =>
  new Response("Service Unavailable", {
    status: 503,
    headers: { "retry-after": "2", "x-dormouse-error": "unavailable" },
  });

/** `inWords`: the body is the error's sentence alone. */
export function errorAnswer(
  { code, message }: HubError,
  status: number,
  inWords = false,
): Response {
  const headers = {
    "cache-control": "no-store",
    "x-dormouse-error": code,
    ...(status === 426 && { upgrade: "websocket" }),
    ...((status === 429 || status === 503) && {
      "retry-after": code === "webhook_unavailable" ? "5" : "1",
    }),
  };
  return inWords
    ? new Response(message, { status, headers })
    : Response.json({ error: { code, message } }, { status, headers });
}
