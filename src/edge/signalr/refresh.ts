// `POST {hub}/refresh`: a fresh token for a SignalR connection, whatever its transport, as in .NET 11
// (docs/design/signalr-transports.md#rf1). Answers are JSON with .NET's names of errors; Dormouse's code is in
// `x-dormouse-error`.

import { claimHeader, LEEWAY_SECONDS, Refusal } from "../../auth/authenticate.ts";
import { httpStatusOf, type ErrorCode } from "../../model/error-table.ts";
import { factsOf, withFacts } from "../../model/refusal-facts.ts";
import { refusalHeaders } from "../../model/refusal-headers.ts";
import type { User } from "../../model/user.ts";
import { NO_STORE } from "../answer/cache-headers.ts";
import { authenticateCaller, queryOf, type Caller } from "../admit/hub-callers.ts";
import { relayOfToken } from "../admit/relay-choice.ts";
import { domainOf } from "../admit/request-target.ts";
import type { Serving } from "../admit/serving.ts";

/**
 * 200 with the seconds that the new token lives, and the rooms that it no longer admits and that the connection has
 * left (`dropped`), if there are any. Throws `hub_not_found`; a refused token is answered here.
 */
export async function refresh(request: Request, serving: Serving): Promise<Response> {
  try {
    const caller = await authenticateCaller(request, serving, queryOf(request).get("id"));
    return await refreshConnection(caller, serving);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const response = refusal(error.code, error.message);
    for (const [name, value] of Object.entries(claimHeader(error)))
      response.headers.set(name, value);
    return withFacts(response, () => factsOf(error));
  }
}

/** The relay decides whether the hub still admits the user, and closes the connection if it does not. */
async function refreshConnection(caller: Caller, serving: Serving): Promise<Response> {
  const token = connectionTokenOf(caller);
  if (!token) return refusal("invalid_request");
  const relay = relayOfToken(serving, domainOf(caller), token);
  if (!relay) return refusal("connection_not_found");
  const answer = await relay.refresh(token, caller.user);
  // The relay does not know connections that have ended.
  if ("code" in answer)
    return refusal(answer.code === "interrupted" ? "connection_not_found" : answer.code);
  const { dropped } = answer;
  return json({
    tokenLifetimeSeconds: lifetimeOf(answer, Date.now()),
    ...(dropped.length > 0 && { dropped }),
  });
}

/** .NET 11 sends the connection token in a header, so that no log of URLs has it; its previews sent `?id=`. */
const connectionTokenOf = ({ request, query }: Caller): string | undefined =>
  request.headers.get("x-signalr-connection-token") ?? query.get("id");

/**
 * Seconds until the token expires, or an earlier end that a webhook set. Without the leeway, which makes up for clocks
 * that differ: a client that used it up would be refused if its clock is a little slow.
 */
export const lifetimeOf = ({ expiresAt }: Pick<User, "expiresAt">, now: number): number =>
  Math.max(0, Math.floor((expiresAt - now) / 1000) - LEEWAY_SECONDS);

/** .NET's names of some codes. Other codes keep theirs, except that all refused tokens have one name. */
const DOTNET_NAMES: ReadonlyMap<string, string> = new Map<ErrorCode, string>([
  ["invalid_request", "missing_connection_token"],
  ["wrong_kind", "unsupported_negotiate_version"],
  ["forbidden", "permission_change_rejected"],
]);

/** `error` is .NET's name. If the token was refused, code and sentence are there as well, as in other protocols. */
function refusal(code: string, message = NOT_ADMITTED): Response {
  const status = httpStatusOf(code);
  const error = status === 401 ? "invalid_token" : (DOTNET_NAMES.get(code) ?? code);
  const isRefused = status === 401 || status === 403;
  return json({ error, ...(isRefused && { code, message }) }, status, code);
}

const NOT_ADMITTED = "The fresh token does not admit this connection.";

const json = (body: object, status = 200, code?: string): Response =>
  Response.json(body, {
    status,
    headers: code ? refusalHeaders(code, status) : NO_STORE,
  });
