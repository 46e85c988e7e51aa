// Refusals of requests before any hub is called, with their HTTP responses. Neither contains any value of the token.

import { errorBody } from "../model/error-body.ts";
import { ERRORS, type ErrorCode } from "../model/error-table.ts";
import { HubError } from "../model/errors.ts";
import { refusalHeaders } from "../model/refusal-headers.ts";

const MESSAGES = {
  token_missing: "A token is needed: Authorization: Bearer, or access_token in the query.",
  token_too_large: "A token has at most 8,192 characters.",
  token_malformed: "The token is not a signed JWT.",
  token_expired: "The token has expired.",
  token_not_yet_valid: "The token is not valid yet.",
  token_wrong_issuer: "The token has another issuer.",
  token_wrong_audience: "The token is for another audience.",
  token_bad_signature: "The token's signature is wrong.",
  token_algorithm: "The token's algorithm is not accepted.",
  token_unknown_key: "The token's key is unknown.",
  token_no_subject: "The token has no subject.",
  token_user_id_invalid: "The server gets no valid user id from this token.",
  token_claim_invalid: "A claim of the token is missing, or has the wrong type or form.",
  forbidden_origin: "This origin may not connect.",
  misconfigured: "The server is misconfigured.",
  keys_unavailable: "The issuer's keys cannot be fetched now.",
} as const satisfies Partial<Record<ErrorCode, string>>;

export type Reason = keyof typeof MESSAGES;

type Status = (typeof ERRORS)[Reason]["http"];

/** Details of a refusal, beyond its reason. Never a value of the token. */
interface About {
  /** The name of the claim that is missing or wrong. */
  readonly claim?: string;
  /** Replaces the reason's own sentence. */
  readonly message?: string;
  /** Replaces the advice for the reason. */
  readonly action?: string;
}

/** A refused request. `code` is the stable reason. */
export class Refusal extends HubError {
  declare readonly code: Reason;
  override readonly status: Status;
  readonly claim: string | undefined;

  // No `cause`: jose's errors carry the token's payload, and a logged error logs its cause.
  constructor(reason: Reason, { claim, action, message = MESSAGES[reason] }: About = {}) {
    super(reason, claim === undefined ? message : `${message.slice(0, -1)} (claim ${claim}).`);
    this.status = ERRORS[reason].http;
    this.claim = claim;
    if (action !== undefined) this.action = action;
  }
}

/** Refuses a token for one of its claims. */
export function refuseClaim(claim: string): never {
  throw new Refusal("token_claim_invalid", { claim });
}

/** The error for a path that this server does not serve, or only if it is configured to. */
export const nothingHere = (): HubError =>
  new HubError("not_found", "There is nothing at this path.");

/**
 * The HTTP response to a refusal. The reason is in the header `x-dormouse-error` and in the body; the name of the claim
 * at fault is in `x-dormouse-claim`.
 */
export const refusalResponse = (refusal: Refusal): Response =>
  Response.json(errorBody(refusal), {
    status: refusal.status,
    headers: { ...refusalHeaders(refusal.code, refusal.status), ...claimHeader(refusal) },
  });

/** The header with the claim's name, escaped: a configured name may have characters that headers cannot have. */
export const claimHeader = ({ claim }: Pick<Refusal, "claim">): Readonly<Record<string, string>> =>
  claim === undefined ? {} : { "x-dormouse-claim": encodeURI(claim) };
