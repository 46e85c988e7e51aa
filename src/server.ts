// A worker of hubs: the endpoint that authenticates and routes, the object of every room, and what binds both to the
// hubs. Ours (worker.ts) and those of people who install the package are made by it alike.

import type { Hono } from "hono";
import { verifyToken, type AuthEnv } from "./auth/authenticate.ts";
import { dispatcher } from "./dispatch/dispatcher.ts";
import type { Filter } from "./dispatch/define/filters.ts";
import type { AnyHub } from "./dispatch/define/hub-definition.ts";
import { tablesOf } from "./dispatch/define/hub-tables.ts";
import { endpoint, type EndpointEnv } from "./edge/app.ts";
import { AccountObject } from "./rooms/account/account-object.ts";
import { RelayObject } from "./rooms/relay/relay-object.ts";
import { RoomObject } from "./rooms/room/room-object.ts";

export * from "./hub.ts";
export type { AccountObject, EndpointEnv, RelayObject, RoomObject };

export interface Served {
  /** Answers requests, and lets into rooms. A worker's default export; or one part of it, by its `fetch`. */
  readonly endpoint: Hono<{ Bindings: EndpointEnv }>;
  /** The Durable Object of one room, which the worker must export under the name in its wrangler.toml. */
  readonly Room: new (ctx: DurableObjectState, env: EndpointEnv) => RoomObject<EndpointEnv>;
  /** The Durable Object that holds connections of many rooms; exported likewise. */
  readonly Relay: new (ctx: DurableObjectState, env: EndpointEnv) => RelayObject<EndpointEnv>;
  /** The Durable Object that holds accounts of users, in all hubs; exported likewise. */
  readonly Account: new (ctx: DurableObjectState, env: EndpointEnv) => AccountObject<EndpointEnv>;
}

export interface ServeOptions {
  /** Around every call of every hub; the first is the outermost. */
  readonly filters?: readonly Filter[];
}

/**
 * Serves hubs.
 *
 * @example
 * const { Room, Relay, Account, endpoint } = serve([ChatHub]);
 * export { Room, Relay, Account };
 * export default endpoint;
 */
export function serve(hubs: readonly AnyHub[], { filters = [] }: ServeOptions = {}): Served {
  const tables = tablesOf(hubs, filters);
  // What rooms receive goes to the hubs; a connection's fresh token goes through the same door as its first.
  const receiver = dispatcher({
    hubs: tables,
    verify: (token, env) => verifyToken(token, env as AuthEnv),
  });
  class Room extends RoomObject<EndpointEnv> {
    constructor(ctx: DurableObjectState, env: EndpointEnv) {
      super(ctx, env, receiver);
    }
  }
  class Relay extends RelayObject<EndpointEnv> {
    constructor(ctx: DurableObjectState, env: EndpointEnv) {
      super(ctx, env, receiver);
    }
  }
  class Account extends AccountObject<EndpointEnv> {}
  return { endpoint: endpoint(tables), Room, Relay, Account };
}
