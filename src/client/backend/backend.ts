// A hub as services have it: they say what the hub may say, and see to its rooms, its users and its connections.

import type { AnyHub } from "../../dispatch/define/hub-definition.ts";
import type { ClientOf } from "../../dispatch/define/hub-types.ts";
import { formatPosition, type Position } from "../../model/position.ts";
import { parseTopic } from "../../model/topic.ts";
import type { RoomText } from "../scope/room-address.ts";
import { addressesOf, hubUrlOf } from "./backend-urls.ts";
import { publish, ServiceAudiences, type ServiceClients } from "./service-audiences.ts";
import type { BackendOptions, CallOptions } from "./backend-options.ts";
import { connectionAt, groupAt, userAt } from "./groups-and-users.ts";
import type { ServiceConnection, ServiceGroup, ServiceUser } from "./groups-and-users.ts";
import { requestsOf, type Requests } from "./backend-requests.ts";
import { roomAt, type ServiceRoom } from "./backend-rooms.ts";
import { tokensOf } from "./service-tokens.ts";

export interface Backend<H extends AnyHub> {
  /** As hub code has them. Resolves once it is saved; after an error it may be said again with the same key. */
  readonly clients: ServiceClients<ClientOf<H>>;
  /** The same backend, whose calls go by these options. */
  with(options: CallOptions): Backend<H>;
  group(name: string): ServiceGroup<H>;
  order(id: string): ServiceRoom<H>;
  user(id: string): ServiceUser<H>;
  connection(id: string): ServiceConnection;
  /** The rooms in which there is somebody or something, by name, page after page. */
  rooms(query?: RoomsQuery): AsyncIterable<RoomEntry>;
  /** Says one thing in one room, and answers its position there (`epoch:offset`). */
  publish<K extends keyof ClientOf<H> & string>(
    room: RoomText | "all",
    target: K,
    args: ArgsOf<ClientOf<H>[K]>,
    options?: PublishOptions,
  ): Promise<string>;
  /** What an application's own `negotiate` answers to SignalR's client, once it knows who that is. */
  negotiate(who: Negotiation): Promise<{ readonly url: string; readonly accessToken: string }>;
}

type ArgsOf<F> = F extends (...args: infer A) => unknown ? A : never;

export interface PublishOptions {
  readonly idempotencyKey?: string;
  /** Connections that are not told. */
  readonly except?: readonly string[];
}

export interface RoomsQuery {
  /** Names begin with it: `order:`. */
  readonly prefix?: string;
  /** Rooms of one request. */
  readonly pageSize?: number;
}

export interface RoomEntry {
  readonly room: string;
  readonly connections: number;
  /** Milliseconds since 1970. */
  readonly activeAt: number;
}

export interface Negotiation {
  readonly userId: string;
  /** Default: the endpoint's, an hour. */
  readonly ttlMinutes?: number;
}

/**
 * A hub, from a service: over HTTP, or over a service binding of a Worker. Its types come from the hub, by a type-only
 * import; nothing of the hub is loaded. What fails and may be repeated is, with one idempotency key; what fails for good
 * is a `HubError` with the server's code.
 *
 * @example
 * const orders = backend<OrderHub>({ url: "https://host/hubs/orders", accessKey: env.ACCESS_KEY });
 * await orders.clients.order("42").orderStatusChanged("42", "shipped");
 */
export function backend<H extends AnyHub>(options: BackendOptions): Backend<H> {
  const { signal, timeoutSeconds } = options;
  const addresses = addressesOf(hubUrlOf(options));
  const tokens = tokensOf(options);
  const at = (call: CallOptions): Backend<H> => {
    const requests = requestsOf({ ...addresses, tokens, backend: options, call });
    return {
      ...hubAt<H>(requests, addresses.client, call.idempotencyKey),
      with: (more) => at({ ...call, ...more }),
    };
  };
  return at({ ...(signal && { signal }), ...(timeoutSeconds !== undefined && { timeoutSeconds }) });
}

const hubAt = <H extends AnyHub>(
  requests: Requests,
  clientUrl: string,
  idempotencyKey: string | undefined,
): Omit<Backend<H>, "with"> => ({
  clients: new ServiceAudiences<ClientOf<H>>({ requests, idempotencyKey }),
  group: (name) => groupAt(requests, name),
  order: (id) => roomAt(requests, "order", id),
  user: (id) => userAt(requests, id),
  connection: (id) => connectionAt(requests, id),
  rooms: (query) => roomsOf(requests, query),
  async publish(room, target, args, { idempotencyKey: key = idempotencyKey, except = [] } = {}) {
    const said = { target, args: args as readonly unknown[], except };
    const position = await publish({ requests, idempotencyKey: key }, parseTopic(room), said);
    return formatPosition(position as Position);
  },
  async negotiate({ userId, ttlMinutes }) {
    const query = { userId, minutesToExpire: ttlMinutes };
    const answer = await requests({ method: "POST", path: "/:generateToken", query });
    return { url: clientUrl, accessToken: (answer as { readonly token: string }).token };
  },
});

interface RoomsPage {
  readonly rooms: readonly {
    readonly room: string;
    readonly num_clients: number;
    readonly active_at: number;
  }[];
  readonly more: boolean;
}

async function* roomsOf(
  requests: Requests,
  { prefix, pageSize }: RoomsQuery = {},
): AsyncGenerator<RoomEntry> {
  let after: string | undefined;
  let goesOn: boolean;
  do {
    const query = { prefix, after, limit: pageSize };
    // oxlint-disable-next-line no-await-in-loop -- a page says where the next begins
    const page = (await requests({ method: "GET", path: "/rooms", query })) as RoomsPage;
    for (const { room, num_clients, active_at } of page.rooms)
      yield { room, connections: num_clients, activeAt: active_at };
    after = page.rooms.at(-1)?.room;
    goesOn = page.more && after !== undefined;
  } while (goesOn);
}
