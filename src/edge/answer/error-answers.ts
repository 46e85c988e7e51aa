// Answers to requests that failed. Every refusal has a stable code, in `x-dormouse-error` and in its body; refusals to
// SignalR clients have it in the body only with 401 and 403.

import { Refusal, refusalResponse } from "../../auth/authenticate.ts";
import { errorBody } from "../../model/error-body.ts";
import { httpStatusOf } from "../../model/error-table.ts";
import { isUnexpected, publicError, type HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { refusalHeaders } from "../../model/refusal-headers.ts";
import { isOverload, OVERLOAD } from "./overload.ts";

/** The answer to an error that a route threw. An unexpected error is logged, and shown as `internal`. */
export function refusedAnswer(error: unknown, inWords = false): Response {
  if (error instanceof Refusal) return refusalResponse(error);
  if (isOverload(error as Error)) return unavailable();
  const shown = publicError(error);
  if (isUnexpected(error)) logError("request_failed", { error });
  return errorAnswer(shown, httpStatusOf(shown.code), inWords);
}

function unavailable(): Response {
  return Response.json(errorBody(OVERLOAD), {
    status: 503,
    headers: refusalHeaders(OVERLOAD.code, 503),
  });
}

/**
 * `inWords`: the body is only the error's sentence, except for 401 and 403: those are JSON in every protocol, so that
 * clients can read their codes in one way.
 */
export function errorAnswer(error: HubError, status: number, inWords = false): Response {
  const { code, message, retryAfter } = error;
  const headers = {
    ...refusalHeaders(code, status, retryAfter),
    ...(status === 426 && { upgrade: "websocket" }),
  };
  return inWords && status !== 401 && status !== 403
    ? new Response(message, { status, headers })
    : Response.json(errorBody(error), { status, headers });
}
