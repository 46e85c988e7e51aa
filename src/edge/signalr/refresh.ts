// `POST {hub}/refresh?id=`: a fresh token for a SignalR connection, whatever its transport, as in .NET 11. Answers are
// JSON with .NET's names of errors; our own code is in `x-dormouse-error`.

import { LEEWAY_SECONDS, Refusal } from "../../auth/authenticate.ts";
import type { User } from "../../model/user.ts";
import { authenticateCaller, type Caller } from "../admit/hub-callers.ts";
import { relayOfToken } from "../admit/relay-choice.ts";
import type { Env, Serving } from "../admit/serving.ts";

/**
 * 200 with the seconds that the new token lives, and the rooms that it no longer admits and that the connection has
 * left (`dropped`), if there are any. Throws `hub_not_found`; a refused token is answered here.
 */
export async function refresh(request: Request, { hubs, env }: Serving): Promise<Response> {
  try {
    return await refreshConnection(await authenticateCaller(request, hubs, env), env);
  } catch (error) {
    if (error instanceof Refusal)
      return refusal(error.code, error.status, error.status === 401 ? "invalid_token" : error.code);
    throw error;
  }
}

/** The relay judges whether the hub still admits the user, and closes the connection if it does not. */
async function refreshConnection({ user, served, query }: Caller, env: Env): Promise<Response> {
  const token = query.get("id");
  if (!token) return failure("invalid_request");
  const relay = relayOfToken(env, { tenant: user.tenant, hub: served.name }, token);
  if (!relay) return failure("connection_not_found");
  const answer = await relay.refresh(token, user);
  if ("code" in answer) return failure(answer.code);
  const { dropped } = answer;
  return json({
    tokenLifetimeSeconds: lifetimeOf(answer, Date.now()),
    ...(dropped.length > 0 && { dropped }),
  });
}

/**
 * Seconds until the token, or an earlier end that a webhook set. The leeway is not part of it: it makes up for clocks
 * that differ, and a client that used it up would be refused for a clock that is a little slow.
 */
export const lifetimeOf = ({ expiresAt }: Pick<User, "expiresAt">, now: number): number =>
  Math.max(0, Math.floor((expiresAt - now) / 1000) - LEEWAY_SECONDS);

/** Our codes as .NET's. A connection that ended meanwhile (`interrupted`) is unknown to its relay from then on. */
const FAILURES: ReadonlyMap<string, readonly [status: number, name: string]> = new Map([
  ["invalid_request", [400, "missing_connection_token"]],
  ["connection_not_found", [404, "connection_not_found"]],
  ["interrupted", [404, "connection_not_found"]],
  ["wrong_kind", [400, "unsupported_negotiate_version"]],
  ["forbidden", [403, "permission_change_rejected"]],
  ["too_large", [413, "too_large"]],
]);

/** A code that .NET has no name for keeps its own: it refused the new token. */
function failure(code: string): Response {
  const [status, name] = FAILURES.get(code) ?? [403, code];
  return refusal(code, status, name);
}

const refusal = (code: string, status: number, name: string): Response =>
  json({ error: name }, status, code);

const json = (body: object, status = 200, code?: string): Response =>
  Response.json(body, {
    status,
    headers: { "cache-control": "no-store", ...(code && { "x-dormouse-error": code }) },
  });
