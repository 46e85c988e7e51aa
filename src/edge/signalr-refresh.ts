// `POST {hub}/refresh?id=`: a fresh token for a SignalR connection, whatever its transport, as .NET 11 has it. Its answers
// are JSON in .NET's words, with our own code in `x-dormouse-error`.

import { Refusal } from "../auth/authenticate.ts";
import type { Hubs } from "../dispatch/tables.ts";
import { HubError, publicError } from "../model/errors.ts";
import type { User } from "../model/user.ts";
import { askerOf, type Env } from "./hub-callers.ts";
import { relayOf } from "./relays.ts";

/** 200 with the seconds that the new token lives, and rooms that the connection is in no more, where there are any. */
export async function refresh(request: Request, hubs: Hubs, env: Env): Promise<Response> {
  try {
    return await refreshed(request, hubs, env);
  } catch (error) {
    const { code } = publicError(error);
    const [status, word] = error instanceof Refusal ? refusalOf(error) : (FAILURES.get(code) ?? []);
    // What has no word here is answered as anywhere.
    if (!status || !word) throw error;
    return json({ error: word }, status, code);
  }
}

/** The hub itself is judged where the connection is: one that it is no longer for ends. */
async function refreshed(request: Request, hubs: Hubs, env: Env): Promise<Response> {
  const { user, served, query } = await askerOf(request, hubs, env);
  const token = query.get("id");
  if (!token) throw new HubError("invalid_request", "Which connection?");
  const relay = relayOf(env, { tenant: user.tenant, hub: served.name }, token);
  if (!relay) throw new HubError("connection_not_found", "No Connection with that ID");
  const { dropped } = await relay.refresh(token, user);
  return json({
    tokenLifetimeSeconds: lifetimeOf(user, Date.now()),
    ...(dropped.length > 0 && { dropped }),
  });
}

/** Seconds until the token's own `exp`: leeway is for clocks that differ, and not for clients to use up. */
export const lifetimeOf = ({ claims }: User, now: number): number =>
  Math.max(0, Math.floor(Number(claims["exp"]) - now / 1000));

const FAILURES: ReadonlyMap<string, readonly [status: number, word: string]> = new Map([
  ["invalid_request", [400, "missing_connection_token"]],
  ["connection_not_found", [404, "connection_not_found"]],
  ["interrupted", [404, "connection_not_found"]],
  ["wrong_kind", [400, "unsupported_negotiate_version"]],
  ["forbidden", [403, "permission_change_rejected"]],
  ["too_large", [413, "too_large"]],
]);

const refusalOf = ({ status, code }: Refusal) =>
  status === 401 ? ([401, "invalid_token"] as const) : ([status, code] as const);

const json = (body: object, status = 200, code?: string): Response =>
  Response.json(body, {
    status,
    headers: { "cache-control": "no-store", ...(code && { "x-dormouse-error": code }) },
  });
