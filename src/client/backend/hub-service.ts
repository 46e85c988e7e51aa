// A hub as services use it, over any transport of requests to the REST API.

import type { AnyHub } from "../../dispatch/define/hub-definition.ts";
import type { ClientOf } from "../../dispatch/define/hub-types.ts";
import { formatPosition, parseTopic, type Position } from "../../model/topic.ts";
import type { RoomText } from "../model/room-address.ts";
import type { SendRequest } from "./backend-requests.ts";
import { roomAt, type ServiceRoom } from "./backend-rooms.ts";
import { connectionAt, groupAt, userAt } from "./groups-and-users.ts";
import type { ServiceConnection, ServiceGroup, ServiceUser } from "./groups-and-users.ts";
import { roomPath } from "./backend-urls.ts";
import {
  publish,
  ServiceAudiences,
  type PublishContext,
  type ServiceClients,
} from "./service-audiences.ts";
import { statefulRoomAt, type StatefulServiceRoom, type WithRoomState } from "./backend-states.ts";

/** A hub for services: what `backend` and `hubContext` have. */
export interface HubService<H extends AnyHub> {
  /**
   * The same audiences as in hub code. A publication resolves once it is saved. After an error it may be published
   * again with the same idempotency key, and clients receive it once.
   */
  readonly clients: ServiceClients<ClientOf<H>>;
  /** Throws `invalid_name`, as the next three do. */
  group(name: string): ServiceGroup<H> & WithRoomState<H, "group">;
  order(id: string): ServiceRoom<H> & WithRoomState<H, "order">;
  user(id: string): ServiceUser<H> & WithRoomState<H, "user">;
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
}

type ArgsOf<F> = F extends (...args: infer A) => unknown ? A : never;

/** Options of `publish`. */
export interface PublishOptions {
  /** Default: the key of `with`, or a random one. */
  readonly idempotencyKey?: string | undefined;
  /** Ids of connections that do not receive the publication. */
  readonly except?: readonly string[] | undefined;
}

/** Which rooms of a hub are listed. */
export interface RoomsQuery {
  /** Only rooms whose kind and name start with it: `order:`. */
  readonly prefix?: string | undefined;
  /** Rooms in one request. Default: the endpoint's. */
  readonly pageSize?: number | undefined;
}

/** A room in a hub's list of rooms. */
export interface RoomEntry {
  /** Kind and name: `order:42`. */
  readonly room: string;
  readonly connections: number;
  /** Last activity, in milliseconds since 1970. */
  readonly activeAt: number;
}

/** `idempotencyKey` is used for every publication and run; if undefined, each gets a random one. */
export const hubServiceOf = <H extends AnyHub>(
  send: SendRequest,
  idempotencyKey?: string,
): HubService<H> => ({
  clients: new ServiceAudiences<ClientOf<H>>({ send, idempotencyKey }),
  group: (name) => withState<H, ServiceGroup<H>>({ send, idempotencyKey }, groupAt(send, name)),
  order: (id) => withState<H, ServiceRoom<H>>({ send, idempotencyKey }, roomAt(send, "order", id)),
  user: (id) => withState<H, ServiceUser<H>>({ send, idempotencyKey }, userAt(send, id)),
  connection: (id) => connectionAt(send, id),
  rooms: (query) => roomsOf(send, query),
  // oxlint-disable-next-line max-params -- the signature is public: `HubService.publish`
  async publish(room, target, args, { idempotencyKey: key = idempotencyKey, except = [] } = {}) {
    const publication = { target, args: args as readonly unknown[], except };
    const position = await publish({ send, idempotencyKey: key }, parseTopic(room), publication);
    return formatPosition(position as Position);
  },
});

/** Adds the members of rooms with state. The server refuses them for rooms without one. */
const withState = <H extends AnyHub, R extends ServiceRoom<H> | ServiceUser<H>>(
  context: PublishContext,
  room: R,
): R & StatefulServiceRoom<H> => ({
  ...room,
  ...statefulRoomAt<H>({ ...context, path: roomPath(parseTopic(room.room)) }),
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
