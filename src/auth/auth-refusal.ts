// Refusals of requests before any hub is called, with their HTTP responses. Neither contains any part of the token.

import { ERRORS, type ErrorCode } from "../model/error-table.ts";
import { HubError } from "../model/errors.ts";

const MESSAGES = {
  token_missing: "A token is needed: Authorization: Bearer, or access_token in the query.",
  token_too_large: "A token has at most 8,192 characters.",
  token_malformed: "The token is not a signed JWT of a kind that is read here.",
  token_expired: "The token has expired.",
  token_not_yet_valid: "The token is not valid yet.",
  token_wrong_issuer: "The token has another issuer.",
  token_wrong_audience: "The token is for another audience.",
  token_bad_signature: "The token's signature is wrong.",
  token_algorithm: "The token's algorithm is not accepted.",
  token_unknown_key: "The token's key is unknown.",
  token_no_subject: "The token has no subject.",
  token_claim_invalid: "A claim of the token is missing, or has the wrong type or form.",
  forbidden_origin: "This origin may not connect.",
  misconfigured: "The server is misconfigured; its log has the details.",
  keys_unavailable: "The issuer's keys cannot be had now.",
} as const satisfies Partial<Record<ErrorCode, string>>;

export type Reason = keyof typeof MESSAGES;

type Status = (typeof ERRORS)[Reason]["http"];

/** A refused request. `code` is the stable reason. */
export class Refusal extends HubError {
  declare readonly code: Reason;
  readonly status: Status;

  // No `cause`: jose's errors carry the token's payload, and a logged error logs its cause.
  constructor(reason: Reason) {
    super(reason, MESSAGES[reason]);
    this.status = ERRORS[reason].http;
  }
}

const BODIES = {
  401: "Unauthorized",
  403: "Forbidden",
  500: "Misconfigured",
  503: "Service Unavailable",
} as const satisfies Record<Status, string>;

const HEADERS: Readonly<Partial<Record<Status, Readonly<Record<string, string>>>>> = {
  401: { "www-authenticate": 'Bearer error="invalid_token"' },
  503: { "retry-after": "5" },
};

/** The HTTP response to a refusal. The reason is in the header `x-dormouse-error`. */
export const refusalResponse = ({ code, status }: Refusal): Response =>
  new Response(BODIES[status], {
    status,
    headers: { "cache-control": "no-store", "x-dormouse-error": code, ...HEADERS[status] },
  });
