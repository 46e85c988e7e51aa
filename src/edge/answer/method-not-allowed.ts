// 405 for a path that is there, with the verbs that it has (RFC 9110 §15.5.6).

import { HubError } from "../../model/errors.ts";
import { errorAnswer } from "./error-answers.ts";

export const METHOD_NOT_ALLOWED = new HubError(
  "method_not_allowed",
  "There is such a path, and no such verb.",
);

/** `allow`: the verbs, separated by commas. */
export function methodNotAllowed(allow: string): Response {
  const response = errorAnswer(METHOD_NOT_ALLOWED, 405);
  response.headers.set("allow", allow);
  return response;
}
