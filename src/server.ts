// Serves hubs from a worker: the endpoint that authenticates and routes, the Durable Object classes, and the wiring
// between both and the hubs. worker.ts uses it in the same way as the package's users.

import type { Hono } from "hono";
import { verifyToken, type AuthEnv, type UserIdProvider } from "./auth/authenticate.ts";
import { DEFAULT_TENANT } from "./auth/claims.ts";
import { canonicalName } from "./model/topic.ts";
import { parseBody } from "./client/backend/backend-answers.ts";
import { urlWith } from "./client/backend/backend-urls.ts";
import { hubServiceOf, type HubService } from "./client/backend/hub-service.ts";
import { dispatcher } from "./dispatch/dispatcher.ts";
import { checkServed } from "./dispatch/define/check-settings.ts";
import type { Filter } from "./dispatch/define/filters.ts";
import type { AnyHub } from "./dispatch/define/hub-definition.ts";
import type { HubPath } from "./dispatch/define/hub-paths.ts";
import { tablesOf, type Hubs } from "./dispatch/define/hub-tables.ts";
import { openRpc } from "./dispatch/define/open-rpc.ts";
import { endpoint, type OptionalRoutes, type EndpointEnv } from "./edge/app.ts";
import { requestLocally } from "./edge/rest/local-requests.ts";
import { Place, type PlaceOptions } from "./rooms/rpc/place.ts";
import { AccountObject } from "./rooms/account/account-object.ts";
import { RelayObject } from "./rooms/relay/relay-object.ts";
import { RoomObject } from "./rooms/room/room-object.ts";
import { checkClass } from "./setup/check-setup.ts";

export * from "./hub.ts";
export type { HubService } from "./client/backend/hub-service.ts";
export type { Jurisdiction, LocationHint } from "./rooms/rpc/place-values.ts";
export type {
  AccountObject,
  OptionalRoutes,
  EndpointEnv,
  PlaceOptions,
  RelayObject,
  RoomObject,
  UserIdProvider,
};

/** The result of `serve`: the endpoint, and the classes that the worker exports. */
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

/** Options of `serve`, for all of its hubs. */
export interface ServeOptions {
  /** Run around every call of every hub; the first is the outermost. */
  readonly filters?: readonly Filter[];
  /** The path that all of the endpoint's paths follow, for a worker on a route such as `example.com/realtime/*`. */
  readonly basePath?: `/${string}`;
  /** Paths of the application's own, below `basePath`: `jsonRpc(…)` and `feed(…)`. They come before all others. */
  readonly paths?: readonly HubPath[];
  /**
   * Returns the user's id for a client's token, instead of the claim that `USER_ID_CLAIM` names, like ASP.NET's
   * `IUserIdProvider`. One function for all hubs, because bans, revocations and groups of a user apply to all of them.
   * It runs at each verification: it must be fast, and return the same id for the same claims. If it throws, or returns
   * no valid id, the token is refused: 401 `token_user_id_invalid`. Tokens of services, and those signed with access
   * keys, keep their own ids.
   *
   * @example
   * serve(hubs, { userId: ({ email }) => (email as string).toLowerCase() });
   */
  readonly userId?: UserIdProvider;
  /**
   * Where objects run and store their data: a jurisdiction that they never leave, and a region near which they begin.
   * Decide before there is data: objects never move. An invalid value throws here, or at the call of its function.
   *
   * @example
   * serve(hubs, { place: { jurisdiction: ({ tenant }) => (tenant.startsWith("eu-") ? "eu" : undefined) } });
   */
  readonly place?: PlaceOptions;
  /**
   * Connect and gRPC-Web: `grpc` of `dormouse-hubs/server/grpc`. Default: not served. Its libraries add 160 KB to a
   * worker, and have to be installed (`@bufbuild/protobuf`, `@connectrpc/connect`).
   */
  readonly grpc?: OptionalRoutes;
}

/** Options of `hubContext`. */
export interface HubContextOptions {
  /** Default: the tenant of tokens that do not name one. */
  readonly tenant?: string;
  /** Default: the `place` of the `serve` of the same worker that has the hub. */
  readonly place?: PlaceOptions;
}

/** Where `serve` has placed the objects of its hubs. Written while the worker's modules are loaded, and never after. */
const PLACES = new WeakMap<AnyHub, Place>();

/**
 * A hub for code of the same worker (routes, cron triggers, queues), like ASP.NET's `IHubContext`: the same operations
 * as `backend`, without requests over the network, and without a token. Calls reject with a `HubError`, and are never
 * repeated. Throws `invalid_name` for an invalid tenant.
 *
 * @example
 * const orders = hubContext(env, OrderHub);
 * await orders.clients.order("42").orderStatusChanged("42", "shipped");
 */
export function hubContext<H extends AnyHub>(
  env: EndpointEnv,
  hub: H,
  { tenant = DEFAULT_TENANT, place: options }: HubContextOptions = {},
): HubService<H> {
  const place = options ? new Place(options) : PLACES.get(hub);
  const service = { hubs: tablesOf([hub]), env, place, tenant: canonicalName(tenant) };
  return hubServiceOf<H>(async ({ method, path, query = {}, body, headers = {} }) => {
    const url = urlWith(`https://worker/api/hubs/${hub.name}${path}`, query);
    const request = new Request(url, { method, headers, ...(body !== undefined && { body }) });
    request.headers.set("content-type", "application/json");
    return parseBody(await (await requestLocally(service, request)).text());
  });
}

/** Passes the hubs to `dormouse openrpc`, `types` and `check`, which run a worker's module. */
function announce(tables: Hubs): void {
  const listener: unknown = Reflect.get(globalThis, Symbol.for("dormouse-hubs.served"));
  if (typeof listener === "function")
    listener(Object.fromEntries([...tables].map(([name, hub]) => [name, openRpc(hub)])));
}

/**
 * Serves hubs. Throws a `TypeError` for hubs, settings and options that could not be served.
 *
 * @example
 * const { Room, Relay, Account, endpoint } = serve([ChatHub]);
 * export { Room, Relay, Account };
 * export default endpoint;
 */
export function serve(hubs: readonly AnyHub[], settings: ServeOptions = {}): Served {
  checkServed(hubs, settings);
  const { filters = [], basePath, paths = [], userId, place: options, grpc } = settings;
  const place = options && placeOf(options, hubs);
  const tables = tablesOf(hubs, filters);
  announce(tables);
  // Objects pass frames to this dispatcher. A refreshed token is verified in the same way as the first one.
  const receiver = dispatcher({
    hubs: tables,
    verify: (token, env) => verifyToken(token, env as AuthEnv, { userId }),
  });
  class Room extends RoomObject<EndpointEnv> {
    constructor(ctx: DurableObjectState, env: EndpointEnv) {
      checkClass(ctx.id, env, { binding: "ROOMS", place });
      super(ctx, env, { receiver, place });
    }
  }
  class Relay extends RelayObject<EndpointEnv> {
    constructor(ctx: DurableObjectState, env: EndpointEnv) {
      checkClass(ctx.id, env, { binding: "RELAYS", place });
      super(ctx, env, { receiver, place });
    }
  }
  class Account extends AccountObject<EndpointEnv> {
    constructor(ctx: DurableObjectState, env: EndpointEnv) {
      checkClass(ctx.id, env, { binding: "ACCOUNTS", place });
      super(ctx, env, place);
    }
  }
  return {
    endpoint: endpoint(tables, { basePath, paths, userId, place, grpc }),
    Room,
    Relay,
    Account,
  };
}

/** Evaluates the option once, for the default tenant, so that an invalid value is found while the worker starts. */
function placeOf(options: PlaceOptions, hubs: readonly AnyHub[]): Place {
  const place = new Place(options);
  place.probe(
    DEFAULT_TENANT,
    hubs.map(({ name }) => name),
  );
  for (const hub of hubs) PLACES.set(hub, place);
  return place;
}
