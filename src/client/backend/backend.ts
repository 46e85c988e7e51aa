// `backend`: a hub as a service uses it, to publish, and to manage its rooms, users and connections.

import type { AnyHub } from "../../dispatch/define/hub-definition.ts";
import type { ClientOf } from "../../dispatch/define/hub-types.ts";
import { formatPosition, type Position } from "../../model/position.ts";
import { parseTopic } from "../../model/topic.ts";
import type { RoomText } from "../model/room-address.ts";
import type { BackendOptions, CallOptions } from "./backend-options.ts";
import { requestsOf, type SendRequest } from "./backend-requests.ts";
import { roomAt, type ServiceRoom } from "./backend-rooms.ts";
import { addressesOf, hubUrlOf } from "./backend-urls.ts";
import { connectionAt, groupAt, userAt } from "./groups-and-users.ts";
import type { ServiceConnection, ServiceGroup, ServiceUser } from "./groups-and-users.ts";
import { publish, ServiceAudiences, type ServiceClients } from "./service-audiences.ts";
import { tokensOf } from "./service-tokens.ts";

export interface Backend<H extends AnyHub> {
  /**
   * The audiences that hub code has, too. A publication resolves once it is saved. After an error it may be published
   * again with the same idempotency key, and clients receive it once.
   */
  readonly clients: ServiceClients<ClientOf<H>>;
  /** The same backend with other options for its calls. Options that are not named stay as they are. */
  with(options: CallOptions): Backend<H>;
  /** Throws `invalid_name`, as the next three do. */
  group(name: string): ServiceGroup<H>;
  order(id: string): ServiceRoom<H>;
  user(id: string): ServiceUser<H>;
  connection(id: string): ServiceConnection;
  /** The rooms with connections or data, ordered by name. Pages are requested as the iteration needs them. */
  rooms(query?: RoomsQuery): AsyncIterable<RoomEntry>;
  /** Publishes in one room. Resolves with the publication's position there (`epoch:offset`). */
  publish<K extends keyof ClientOf<H> & string>(
    room: RoomText | "all",
    target: K,
    args: ArgsOf<ClientOf<H>[K]>,
    options?: PublishOptions,
  ): Promise<string>;
  /** The response of an application's own `negotiate` endpoint to a SignalR client whose user it has authenticated. */
  negotiate(user: Negotiation): Promise<{ readonly url: string; readonly accessToken: string }>;
}

type ArgsOf<F> = F extends (...args: infer A) => unknown ? A : never;

export interface PublishOptions {
  /** Default: that of `with`, or a random one. */
  readonly idempotencyKey?: string;
  /** Ids of connections that do not receive the publication. */
  readonly except?: readonly string[];
}

export interface RoomsQuery {
  /** Only rooms whose kind and name start with it: `order:`. */
  readonly prefix?: string;
  /** Rooms in one request. Default: the endpoint's. */
  readonly pageSize?: number;
}

export interface RoomEntry {
  /** Kind and name: `order:42`. */
  readonly room: string;
  readonly connections: number;
  /** Last activity, in milliseconds since 1970. */
  readonly activeAt: number;
}

export interface Negotiation {
  readonly userId: string;
  /** Lifetime of the token. Default: the endpoint's, an hour. */
  readonly ttlMinutes?: number;
}

/**
 * A hub, for a service: over HTTP, or over a service binding of a Worker. The types come from the hub by a type-only
 * import, and no code of the hub is loaded. Calls that failed and may be repeated are repeated, with the same idempotency
 * key. A call that failed for good rejects with a `HubError` of the server's code.
 *
 * Throws a TypeError if the address is not a hub's, or if there are no credentials.
 *
 * @example
 * const orders = backend<OrderHub>({ url: "https://host/hubs/orders", accessKey: env.ACCESS_KEY });
 * await orders.clients.order("42").orderStatusChanged("42", "shipped");
 */
export function backend<H extends AnyHub>(options: BackendOptions): Backend<H> {
  const { signal, timeoutSeconds } = options;
  const addresses = addressesOf(hubUrlOf(options));
  const tokens = tokensOf(options);
  const backendWith = (call: CallOptions): Backend<H> => {
    const send = requestsOf({ ...addresses, tokens, backend: options, call });
    return {
      ...hubOf<H>(send, addresses.client, call.idempotencyKey),
      with: (more) => backendWith({ ...call, ...more }),
    };
  };
  return backendWith({
    ...(signal && { signal }),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
  });
}

const hubOf = <H extends AnyHub>(
  send: SendRequest,
  clientUrl: string,
  idempotencyKey: string | undefined,
): Omit<Backend<H>, "with"> => ({
  clients: new ServiceAudiences<ClientOf<H>>({ send, idempotencyKey }),
  group: (name) => groupAt(send, name),
  order: (id) => roomAt(send, "order", id),
  user: (id) => userAt(send, id),
  connection: (id) => connectionAt(send, id),
  rooms: (query) => roomsOf(send, query),
  // oxlint-disable-next-line max-params -- the signature is public: `Backend.publish`
  async publish(room, target, args, { idempotencyKey: key = idempotencyKey, except = [] } = {}) {
    const publication = { target, args: args as readonly unknown[], except };
    const position = await publish({ send, idempotencyKey: key }, parseTopic(room), publication);
    return formatPosition(position as Position);
  },
  async negotiate({ userId, ttlMinutes }) {
    const query = { userId, minutesToExpire: ttlMinutes };
    const response = await send({ method: "POST", path: "/:generateToken", query });
    return { url: clientUrl, accessToken: (response as { readonly token: string }).token };
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
  send: SendRequest,
  { prefix, pageSize }: RoomsQuery = {},
): AsyncGenerator<RoomEntry> {
  let after: string | undefined;
  let hasMore: boolean;
  do {
    const query = { prefix, after, limit: pageSize };
    // oxlint-disable-next-line no-await-in-loop -- a page starts after the last room of the previous one
    const page = (await send({ method: "GET", path: "/rooms", query })) as RoomsPage;
    for (const { room, num_clients, active_at } of page.rooms)
      yield { room, connections: num_clients, activeAt: active_at };
    after = page.rooms.at(-1)?.room;
    hasMore = page.more && after !== undefined;
  } while (hasMore);
}
