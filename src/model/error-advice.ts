// Advice for developers about refusals, by code. It is sent with the refusal, so that no client carries the table.
// Nothing here depends on the request: an answer must not tell strangers how the server is configured.

import type { ErrorCode } from "./error-table.ts";

const NEW_TOKEN = "Fetch a new token.";
const FORM =
  "Send a JWT: three parts in base64url with dots between, signed, without `Bearer` in a query.";
const KEY =
  "Compare the issuer's key with JWT_SECRET or JWT_JWKS_URL of the server; for a service, with its ACCESS_KEYS.";
const WAIT = "Try again after the time in Retry-After.";

const ADVICE: Readonly<Partial<Record<ErrorCode, string>>> = {
  unauthorized: NEW_TOKEN,
  token_missing: "Give the client a `token`, or make the hub `anonymous`.",
  token_too_large: "Leave claims out of the token that the server does not need.",
  token_malformed: FORM,
  token_expired: "Fetch a new token, or give the client a function that fetches one.",
  token_not_yet_valid: "Compare the clocks of the token's issuer and of the server.",
  token_wrong_issuer: "Compare the claim `iss` with JWT_ISSUER of the server.",
  token_wrong_audience:
    "Compare the claim `aud` with JWT_AUDIENCE of the server; for an access key, with the server's own URL.",
  token_bad_signature: KEY,
  token_algorithm: "JWT_SECRET is for HS256, JWT_JWKS_URL for RS256, ES256 and similar.",
  token_unknown_key: KEY,
  token_no_subject: "Put the user's id into the claim `sub`, or name its claim in USER_ID_CLAIM.",
  token_claim_invalid: "Fix the claim that the message names.",
  token_user_id_invalid: "Check the `userId` function of the server: its log has the error.",
  token_revoked: NEW_TOKEN,
  forbidden:
    "Check the hub's policies (a kind of rooms without `enter` is closed) and the roles in the token.",
  forbidden_origin: "Add the page's origin to ALLOWED_ORIGINS of the server.",
  banned: "A service can lift the ban; until then every token is refused.",
  refused_by_webhook: "Check the answer of the connect webhook.",
  not_found: "Compare the URL with the paths of the endpoint: /hubs/{hub}.",
  hub_not_found: "Compare the name in the URL with the hubs that the server serves.",
  room_kind_not_found:
    "Write groups/, orders/ or users/ in a URL below /hubs; group:, order: or user: in a client and below /parties.",
  invalid_name: "A name has 1 to 128 characters, no control characters, and is neither . nor ..",
  invalid_position: "Resume from a position as the server sent it, or without one.",
  upgrade_required: "Connect by WebSocket; events of a room are read as `text/event-stream`.",
  client_too_old: "Update the package `dormouse-hubs` of the client, and reload the page.",
  rate_limited: WAIT,
  too_many_connections: "Close connections that are not needed: one can be in many rooms.",
  unavailable: WAIT,
  room_full: WAIT,
  relay_full: WAIT,
  keys_unavailable: WAIT,
  webhook_unavailable: WAIT,
  misconfigured: "The server's operator finds the problem by `npx dormouse check`.",
};

/** Undefined for codes of hub code, and if the message is sufficient. */
export const adviceFor = (code: string): string | undefined =>
  Object.hasOwn(ADVICE, code) ? ADVICE[code as ErrorCode] : undefined;
