// Clients of a whole hub, whatever they speak: who they are, whether the hub is for them, and which relay is.

import { authenticate, type AuthEnv } from "../../auth/authenticate.ts";
import { authenticateClient } from "../../auth/client-tokens.ts";
import type { Hubs, ServedHub } from "../../dispatch/define/hub-tables.ts";
import { HubError } from "../../model/errors.ts";
import { canonicalName } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import type { ObjectEnv } from "../../rooms/rpc/object-env.ts";
import { clientKey } from "../../rooms/rpc/relay-levels.ts";
import { readWebhooks } from "../../webhooks/webhook-config.ts";
import { asked } from "./connect-webhook.ts";
import type { ConnectRateEnv } from "./connect-rate.ts";
import type { Wanted } from "./relay-choice.ts";

export type Env = AuthEnv & ObjectEnv & ConnectRateEnv;

/** A client that may speak to a hub. */
export interface Caller {
  readonly request: Request;
  readonly user: User;
  readonly served: ServedHub;
  /** Names in lower case: ASP.NET does not look at their case. */
  readonly query: ReadonlyMap<string, string>;
}

/** Throws what authentication throws, `hub_not_found`, what the webhook throws, or `forbidden`. */
export const callerOf = async (request: Request, hubs: Hubs, env: Env): Promise<Caller> =>
  comer(await knownCaller(request, hubs, env), env);

/** One that connects now. Throws what the webhook throws, or `forbidden` where the hub is not for this user. */
export async function comer(caller: Caller, env: Env): Promise<Caller> {
  const { request, user, served } = caller;
  return authorized({ ...caller, user: await asked({ request, user, hub: served.name }, env) });
}

/**
 * One that was let in when it negotiated. What a webhook granted it then is known at its relay, which knows it by its
 * connection token: where there is a webhook, its own token might not suffice here.
 */
export const returning = async (caller: Caller, env: Env): Promise<Caller> =>
  readWebhooks(env).connect ? caller : authorized(caller);

/** Whether the hub is for this user or not. Throws what authentication throws, or `hub_not_found`. */
export async function knownCaller(request: Request, hubs: Hubs, env: Env): Promise<Caller> {
  const { pathname, searchParams } = new URL(request.url);
  const isSent = pathname.startsWith("/client");
  const user = await (isSent ? authenticateClient : authenticate)(request, env);
  const hub = isSent ? (searchParams.get("hub") ?? "") : (pathname.split("/")[2] ?? "");
  return callerAt({ request, user }, hub, hubs);
}

/** The same, where the hub is named elsewhere than in the path. Throws `hub_not_found`. */
export function callerAt(
  { request, user }: Pick<Caller, "request" | "user">,
  hub: string,
  hubs: Hubs,
): Caller {
  const { searchParams } = new URL(request.url);
  const served = hubs.get(hub.toLowerCase());
  if (!served) throw new HubError("hub_not_found", "There is no such hub.");
  const query = new Map([...searchParams].map(([name, value]) => [name.toLowerCase(), value]));
  return { request, user, served, query };
}

async function authorized(caller: Caller): Promise<Caller> {
  const { served, user } = caller;
  if (!served.authorize || (await served.authorize({ hub: served.name, user, args: [] })))
    return caller;
  throw new HubError("forbidden", "This hub is not for this user.");
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
