// 405 for a path that exists, with the verbs that it supports (RFC 9110 §15.5.6).

import { HubError } from "../../model/errors.ts";
import { errorAnswer } from "./error-answers.ts";

export const METHOD_NOT_ALLOWED = new HubError(
  "method_not_allowed",
  "The path does not support this method.",
);

/** The header for a path with these verbs. A route for GET answers HEAD as well. */
export const allowing = (verbs: readonly string[]): string =>
  [...new Set(verbs.flatMap((verb) => (verb === "GET" ? [verb, "HEAD"] : [verb])))].join(", ");

export function methodNotAllowed(...verbs: readonly string[]): Response {
  const response = errorAnswer(METHOD_NOT_ALLOWED, 405);
  response.headers.set("allow", allowing(verbs));
  return response;
}
