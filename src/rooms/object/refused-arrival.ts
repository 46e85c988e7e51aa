// The answer of an object that refuses a client.

import { errorBody } from "../../model/error-body.ts";
import { httpStatusOf } from "../../model/error-table.ts";
import { isUnexpected, publicError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { refusalHeaders } from "../../model/refusal-headers.ts";

/**
 * The answer has the code in `x-dormouse-error`; `refused` counts it. An unexpected error is logged here, with its
 * stack, because the worker gets only the answer.
 */
export function refusedArrival(
  error: unknown,
  { object, refused }: { readonly object: string; refused(code: string): unknown },
): Response {
  const shown = publicError(error);
  const { code, retryAfter } = shown;
  if (isUnexpected(error)) logError("connect_failed", { object, error });
  refused(code);
  const status = httpStatusOf(code);
  const headers = refusalHeaders(code, status, retryAfter);
  return Response.json(errorBody(shown), { status, headers });
}
