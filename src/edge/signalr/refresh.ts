// `POST {hub}/refresh?id=`: a fresh token for a SignalR connection, whatever its transport, as .NET 11 has it. Its answers
// are JSON in .NET's words, with our own code in `x-dormouse-error`.

import { LEEWAY_SECONDS, Refusal } from "../../auth/authenticate.ts";
import type { Hubs } from "../../dispatch/define/hub-tables.ts";
import { httpStatusOf, type ErrorCode } from "../../model/error-table.ts";
import type { User } from "../../model/user.ts";
import { knownCaller, type Caller, type Env } from "../admit/hub-callers.ts";
import { relayOf } from "../admit/relay-choice.ts";

/** 200 with the seconds that the new token lives, and rooms that the connection is in no more, where there are any. */
export async function refresh(request: Request, hubs: Hubs, env: Env): Promise<Response> {
  try {
    return await refreshed(await knownCaller(request, hubs, env), env);
  } catch (error) {
    if (error instanceof Refusal) return refusal(error.code);
    throw error;
  }
}

/** The hub itself is judged where the connection is: one that it is no longer for ends. */
async function refreshed({ user, served, query }: Caller, env: Env): Promise<Response> {
  const token = query.get("id");
  if (!token) return refusal("invalid_request");
  const relay = relayOf(env, { tenant: user.tenant, hub: served.name }, token);
  if (!relay) return refusal("connection_not_found");
  const answer = await relay.refresh(token, user);
  // A connection that ended in the meantime is not there any more.
  if ("code" in answer)
    return refusal(answer.code === "interrupted" ? "connection_not_found" : answer.code);
  const { dropped } = answer;
  return json({
    tokenLifetimeSeconds: lifetimeOf(answer, Date.now()),
    ...(dropped.length > 0 && { dropped }),
  });
}

/**
 * Seconds until the token ends, or sooner what a webhook granted: without the leeway, which is for clocks that differ,
 * and not for clients to use up.
 */
export const lifetimeOf = ({ expiresAt }: Pick<User, "expiresAt">, now: number): number =>
  Math.max(0, Math.floor((expiresAt - now) / 1000) - LEEWAY_SECONDS);

/** What .NET calls these; other codes keep their own names, but for those of tokens. */
const DOTNET_NAMES: ReadonlyMap<string, string> = new Map<ErrorCode, string>([
  ["invalid_request", "missing_connection_token"],
  ["wrong_kind", "unsupported_negotiate_version"],
  ["forbidden", "permission_change_rejected"],
]);

function refusal(code: string): Response {
  const status = httpStatusOf(code);
  const error = status === 401 ? "invalid_token" : (DOTNET_NAMES.get(code) ?? code);
  return json({ error }, status, code);
}

const json = (body: object, status = 200, code?: string): Response =>
  Response.json(body, {
    status,
    headers: { "cache-control": "no-store", ...(code && { "x-dormouse-error": code }) },
  });
