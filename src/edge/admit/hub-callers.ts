// Admission of a client to a whole hub, in any protocol: authentication, the hub, the rate of connections, the connect
// webhook and the hub's policy, in this order; and the relay that the client's connection belongs to.

import { authenticateClient } from "../../auth/client-tokens.ts";
import type { Hubs, ServedHub } from "../../dispatch/define/hub-tables.ts";
import { mayUse } from "../../dispatch/define/policies.ts";
import { forbidden, policyText } from "../../dispatch/define/policy-names.ts";
import { urlOf } from "../../model/request-url.ts";
import { canonicalName } from "../../model/topic.ts";
import { isGuest, type User } from "../../model/user.ts";
import { clientKey } from "../../rooms/rpc/relay-levels.ts";
import { checkSetup } from "../../setup/check-setup.ts";
import { readWebhooks } from "../../webhooks/webhook-config.ts";
import { admitAttempt, userAt } from "./admission.ts";
import { relayToken } from "./guests.ts";
import { continentOf, type RelayTarget } from "./relay-choice.ts";
import { domainOf, pathBelow, requestedHub, servedHub } from "./request-target.ts";
import { policyRuntime } from "../../dispatch/define/runtime.ts";
import type { Serving } from "./serving.ts";

/** An authenticated client of a hub. Whether the hub admits it is known only after `admitCaller`. */
export interface Caller {
  readonly request: Request;
  readonly user: User;
  readonly served: ServedHub;
  /** By name in lower case: ASP.NET does not distinguish case in names. Of repeated parameters the last counts. */
  readonly query: ReadonlyMap<string, string>;
}

/** Throws what authentication throws, `hub_not_found`, `rate_limited`, what the webhook throws, or `forbidden`. */
export async function callerOf(request: Request, serving: Serving): Promise<Caller> {
  return admitCaller(await authenticateCaller(request, serving), serving);
}

/** Admits a new connection. Throws `rate_limited`, the webhook's errors, or `forbidden` of the hub's policy. */
export async function admitCaller(caller: Caller, serving: Serving): Promise<Caller> {
  const { request, user, served } = caller;
  const attempt = { request, user, hub: served.name };
  const admitted = { ...caller, user: await admitAttempt(attempt, serving.env) };
  return authorizeCaller(admitted, serving);
}

/**
 * Admits a further request of a connection that was admitted when it negotiated. The webhook is not called again: the
 * relay keeps its grant, and identifies the connection by its token. If there is a webhook, the hub's policy is not
 * checked here either: without the grant, the client's own token might not satisfy it. Throws `forbidden`.
 */
export const readmitCaller = async (caller: Caller, serving: Serving): Promise<Caller> =>
  readWebhooks(serving.env).connect ? caller : authorizeCaller(caller, serving);

/**
 * The caller and its hub, not yet admitted. Under `/client` a token is signed with an access key. `connectionToken`
 * comes with a further request of a connection: the caller of this function must have the relay check it. Throws what
 * authentication throws, or `hub_not_found`.
 */
export async function authenticateCaller(
  request: Request,
  serving: Serving,
  connectionToken?: string,
): Promise<Caller> {
  checkSetup(serving.env, request.url);
  const hub = requestedHub(request, serving);
  const user = isAzureClient(request, serving)
    ? await authenticateClient(request, serving.env)
    : await userAt(request, { hub, connectionToken }, serving);
  return callerAt({ request, user }, hub, serving.hubs);
}

const isAzureClient = (request: Request, { prefix, hub }: Serving): boolean =>
  hub === undefined && pathBelow(request, prefix).split("/")[1] === "client";

/** By name in lower case. Of repeated parameters the last counts. */
export function queryOf(request: Request): Map<string, string> {
  const url = urlOf(request);
  const pairs = url.search === "" ? [] : [...url.searchParams];
  return new Map(pairs.map(([name, value]) => [name.toLowerCase(), value]));
}

/** Like `authenticateCaller`, for a user that is authenticated already. Throws `hub_not_found`. */
export function callerAt(
  { request, user }: Pick<Caller, "request" | "user">,
  hub: string,
  hubs: Hubs,
): Caller {
  const served = servedHub(hubs, hub);
  const query = queryOf(request);
  const token = query.get("id");
  if (token !== undefined) query.set("id", relayToken(user, token));
  return { request, user, served, query };
}

async function authorizeCaller(caller: Caller, serving: Serving): Promise<Caller> {
  const { served, user } = caller;
  if (await mayUse(served, { user, ...policyRuntime(serving, served) })) return caller;
  const expected = () => `authorize: ${policyText(served.authorize!)}`;
  throw forbidden("This hub is not for this user.", { expected, user });
}

/** Clients that name themselves always go to the same relay, which remembers their groups. */
export function relayTargetOf(caller: Caller): RelayTarget {
  const { request, user } = caller;
  const client = clientNameOf(caller);
  return {
    domain: domainOf(caller),
    continent: continentOf(request),
    ...(client !== undefined && { key: clientKey(user.id, client) }),
  };
}

/**
 * The client's own name (`?client=`), if the hub remembers groups by it. Undefined for guests, because a guest who
 * reconnects is another user. Throws `invalid_name`.
 */
export function clientNameOf({ query, served, user }: Caller): string | undefined {
  const isRemembered = served.settings.rememberGroups > 0 && !isGuest(user);
  const client = isRemembered ? query.get("client") : undefined;
  return client ? canonicalName(client) : undefined;
}
