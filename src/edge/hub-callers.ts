// Clients of a whole hub, whatever they speak: who they are, whether the hub is for them, and which relay is.

import { authenticate, type AuthEnv } from "../auth/authenticate.ts";
import { authenticateClient } from "../auth/client-tokens.ts";
import type { Hubs, ServedHub } from "../dispatch/tables.ts";
import { HubError } from "../model/errors.ts";
import { canonicalName } from "../model/topic.ts";
import type { User } from "../model/user.ts";
import type { ObjectEnv } from "../rooms/peers.ts";
import { clientKey } from "../rooms/recall.ts";
import type { ConnectRateEnv } from "./connect-rate.ts";
import type { Wanted } from "./relays.ts";

export type Env = AuthEnv & ObjectEnv & ConnectRateEnv;

/** A client that may speak to a hub. */
export interface Caller {
  readonly request: Request;
  readonly user: User;
  readonly served: ServedHub;
  /** Names in lower case: ASP.NET does not look at their case. */
  readonly query: ReadonlyMap<string, string>;
}

/** Throws what authentication throws, `hub_not_found`, or `forbidden` where the hub is not for this user. */
export async function callerOf(request: Request, hubs: Hubs, env: Env): Promise<Caller> {
  const caller = await askerOf(request, hubs, env);
  const { user, served } = caller;
  if (served.authorize && !(await served.authorize({ hub: served.name, user, args: [] })))
    throw new HubError("forbidden", "This hub is not for this user.");
  return caller;
}

/** The same, whether the hub is for this user or not. */
export async function askerOf(request: Request, hubs: Hubs, env: Env): Promise<Caller> {
  const { pathname, searchParams } = new URL(request.url);
  const isSent = pathname.startsWith("/client");
  const user = await (isSent ? authenticateClient : authenticate)(request, env);
  const hub = isSent ? (searchParams.get("hub") ?? "") : pathname.split("/")[2]!;
  const served = hubs.get(hub.toLowerCase());
  if (!served) throw new HubError("hub_not_found", "There is no such hub.");
  const query = new Map([...searchParams].map(([name, value]) => [name.toLowerCase(), value]));
  return { request, user, served, query };
}

export function wanted(caller: Caller): Wanted {
  const { request, user, served } = caller;
  const client = clientOf(caller);
  const { continent } = (request.cf ?? {}) as { continent?: string };
  return {
    domain: { tenant: user.tenant, hub: served.name },
    continent,
    ...(client !== undefined && { key: clientKey(user.id, client) }),
  };
}

/** The name a client gives itself, by which it is known again. Throws `invalid_name`. */
export function clientOf({ query, served }: Caller): string | undefined {
  const client = served.settings.rememberGroups > 0 ? query.get("client") : undefined;
  return client ? canonicalName(client) : undefined;
}
