// Serves hubs from a worker: the endpoint that authenticates and routes, the Durable Object classes, and the wiring
// between both and the hubs. worker.ts uses it as the package's users do.

import type { Hono } from "hono";
import { verifyToken, type AuthEnv, type UserIdProvider } from "./auth/authenticate.ts";
import { DEFAULT_TENANT } from "./auth/claims.ts";
import { canonicalName } from "./model/topic.ts";
import { parseBody } from "./client/backend/backend-answers.ts";
import { hubServiceOf, type HubService } from "./client/backend/hub-service.ts";
import { dispatcher } from "./dispatch/dispatcher.ts";
import type { Filter } from "./dispatch/define/filters.ts";
import type { AnyHub } from "./dispatch/define/hub-definition.ts";
import type { HubPath } from "./dispatch/define/hub-paths.ts";
import { tablesOf } from "./dispatch/define/hub-tables.ts";
import { endpoint, type EndpointEnv } from "./edge/app.ts";
import { requestLocally } from "./edge/rest/local-requests.ts";
import { AccountObject } from "./rooms/account/account-object.ts";
import { RelayObject } from "./rooms/relay/relay-object.ts";
import { RoomObject } from "./rooms/room/room-object.ts";
import { checkClass } from "./setup/check-setup.ts";

export * from "./hub.ts";
export type { HubService } from "./client/backend/hub-service.ts";
export type { AccountObject, EndpointEnv, RelayObject, RoomObject, UserIdProvider };

export interface Served {
  /** Handles all requests. It is the worker's default export, or is called by one through `fetch`. */
  readonly endpoint: Hono<{ Bindings: EndpointEnv }>;
  /** The Durable Object of one room. The worker exports it under the class name in its wrangler.toml. */
  readonly Room: new (ctx: DurableObjectState, env: EndpointEnv) => RoomObject<EndpointEnv>;
  /** The Durable Object that holds connections to many rooms; exported likewise. */
  readonly Relay: new (ctx: DurableObjectState, env: EndpointEnv) => RelayObject<EndpointEnv>;
  /** The Durable Object of users' accounts, across all hubs; exported likewise. */
  readonly Account: new (ctx: DurableObjectState, env: EndpointEnv) => AccountObject<EndpointEnv>;
}

export interface ServeOptions {
  /** Run around every call of every hub; the first is the outermost. */
  readonly filters?: readonly Filter[];
  /** The path that all of the endpoint's paths follow, for a worker on a route such as `example.com/realtime/*`. */
  readonly basePath?: `/${string}`;
  /** Paths of the application's own, below `basePath`: `jsonRpc(…)` and `feed(…)`. They come before all others. */
  readonly paths?: readonly HubPath[];
  /**
   * The user's id of a client's token, instead of the claim that `USER_ID_CLAIM` names, as ASP.NET's
   * `IUserIdProvider`. One for all hubs, because bans, revocations and groups of a user hold in all of them. It runs at
   * each verification, so it is quick and gives the same id for the same claims. Where it throws, or gives no valid id,
   * the token is refused: 401 `token_user_id_invalid`. Tokens of services, and those signed with access keys, keep
   * their own ids.
   *
   * @example
   * serve(hubs, { userId: ({ email }) => (email as string).toLowerCase() });
   */
  readonly userId?: UserIdProvider;
}

export interface HubContextOptions {
  /** Default: the tenant of tokens that name none. */
  readonly tenant?: string;
}

/**
 * A hub for code of the same worker (routes, cron triggers, queues), as ASP.NET's `IHubContext`: what `backend` has,
 * without a request over the network, and without a token. Calls reject with a `HubError`. Nothing is repeated. Throws
 * `invalid_name` for what names no tenant.
 *
 * @example
 * const orders = hubContext(env, OrderHub);
 * await orders.clients.order("42").orderStatusChanged("42", "shipped");
 */
export function hubContext<H extends AnyHub>(
  env: EndpointEnv,
  hub: H,
  { tenant = DEFAULT_TENANT }: HubContextOptions = {},
): HubService<H> {
  const service = { hubs: tablesOf([hub]), env, tenant: canonicalName(tenant) };
  return hubServiceOf<H>(async ({ method, path, query = {}, body }) => {
    const url = new URL(`https://worker/api/hubs/${hub.name}${path}`);
    for (const [name, values] of Object.entries(query))
      for (const value of values === undefined ? [] : [values].flat())
        url.searchParams.append(name, `${value}`);
    const request = new Request(url, { method, ...(body !== undefined && { body }) });
    request.headers.set("content-type", "application/json");
    return parseBody(await (await requestLocally(service, request)).text());
  });
}

/**
 * Serves hubs.
 *
 * @example
 * const { Room, Relay, Account, endpoint } = serve([ChatHub]);
 * export { Room, Relay, Account };
 * export default endpoint;
 */
export function serve(
  hubs: readonly AnyHub[],
  { filters = [], basePath, paths = [], userId }: ServeOptions = {},
): Served {
  const tables = tablesOf(hubs, filters);
  // Objects pass frames to this dispatcher. A refreshed token is verified as the first one was.
  const receiver = dispatcher({
    hubs: tables,
    verify: (token, env) => verifyToken(token, env as AuthEnv, { userId }),
  });
  class Room extends RoomObject<EndpointEnv> {
    constructor(ctx: DurableObjectState, env: EndpointEnv) {
      checkClass(ctx.id, env, "ROOMS");
      super(ctx, env, receiver);
    }
  }
  class Relay extends RelayObject<EndpointEnv> {
    constructor(ctx: DurableObjectState, env: EndpointEnv) {
      checkClass(ctx.id, env, "RELAYS");
      super(ctx, env, receiver);
    }
  }
  class Account extends AccountObject<EndpointEnv> {
    constructor(ctx: DurableObjectState, env: EndpointEnv) {
      checkClass(ctx.id, env, "ACCOUNTS");
      super(ctx, env);
    }
  }
  return { endpoint: endpoint(tables, { basePath, paths, userId }), Room, Relay, Account };
}
