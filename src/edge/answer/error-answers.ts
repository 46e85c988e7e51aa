// Answers to requests that failed. Every refusal has a stable code, in `x-dormouse-error` and in its body; refusals to
// SignalR clients have it in the body only with 401 and 403.

import { Refusal, refusalResponse } from "../../auth/authenticate.ts";
import { errorBody } from "../../model/error-body.ts";
import { httpStatusOf } from "../../model/error-table.ts";
import type { HubError } from "../../model/errors.ts";
import { refusalHeaders } from "../../model/refusal-headers.ts";
import { OVERLOAD, shownError } from "./overload.ts";

/** The answer to an error that a route threw. Overload of the platform is answered in JSON on every route. */
export function refusedAnswer(error: unknown, inWords = false): Response {
  if (error instanceof Refusal) return refusalResponse(error);
  const shown = shownError(error);
  return errorAnswer(shown, httpStatusOf(shown.code), inWords && shown !== OVERLOAD);
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
