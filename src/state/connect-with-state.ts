// `connect` of `dormouse-hubs/state`: like that of `dormouse-hubs/client`, with the state of rooms in addition.

import type { Connection, HubConnection } from "../client/client-connection.ts";
import type { ConnectOptions, HubConnectOptions } from "../client/connect-options.ts";
import { connect as connectPlain } from "../client/connect.ts";
import type { RoomText } from "../client/model/room-address.ts";
import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import { forgetState, stateOf } from "./state-of.ts";
import type { RoomState, StateOptions } from "./state-types.ts";

/** A connection to one room. `state` is the connection's status; the room's state is `room.state`. */
export interface StatefulConnection<H extends AnyHub> extends Connection<H> {
  readonly room: RoomState<H>;
}

/** A connection to a whole hub, with the state of each room that it has joined. */
export interface StatefulHubConnection<H extends AnyHub> extends Omit<HubConnection<H>, "join"> {
  /** Joins a room. Resolves after the snapshot has arrived. Rejects with the errors of `HubConnection.join`. */
  join(room: RoomText): Promise<RoomState<H>>;
  /** The state of a room that is joined, or will be: by `join`, or by hub code. */
  room(room: RoomText): RoomState<H>;
}

/** Without `since`: the copy begins with a snapshot, and resumes by itself. */
export type StatefulConnectOptions<H extends AnyHub> = Omit<ConnectOptions<H>, "since"> &
  StateOptions<H>;

/**
 * Connects like `connect` of `dormouse-hubs/client`, and keeps a copy of the room's state.
 *
 * @example
 * const { room } = connect<AuctionHub>("/hubs/auctions", { room: "group:vase", token });
 * room.onState(({ price, leader }) => show(price, leader));
 * await room.run.bid(120);
 */
export function connect<H extends AnyHub>(
  hub: string,
  options: HubConnectOptions<H> & StateOptions<H> & { readonly room?: undefined },
): StatefulHubConnection<H>;
// The last signature, for the same reason as in `connect` of the client.
export function connect<H extends AnyHub>(
  hub: string,
  options: StatefulConnectOptions<H>,
): StatefulConnection<H>;
export function connect<H extends AnyHub>(
  hub: string,
  options: (HubConnectOptions<H> | StatefulConnectOptions<H>) & StateOptions<H>,
): StatefulConnection<H> | StatefulHubConnection<H> {
  if (!("room" in options)) return withRooms(connectPlain<H>(hub, options), options);
  const connection = connectPlain<H>(hub, options as ConnectOptions<H>);
  return Object.assign(connection, { room: stateOf(connection, options.room, options) });
}

function withRooms<H extends AnyHub>(
  connection: HubConnection<H>,
  options: StateOptions<H>,
): StatefulHubConnection<H> {
  const { join, leave } = connection;
  const room = (name: RoomText): RoomState<H> => stateOf(connection, name, options);
  const withState: Pick<StatefulHubConnection<H>, "room" | "join" | "leave"> = {
    room,
    join: async (name) => {
      const state = room(name);
      await join(name);
      return state;
    },
    leave: async (name) => {
      // Before the call: if a join follows at once, its new copy must not be ended by the answer to this leave.
      forgetState(connection, name);
      await leave(name);
    },
  };
  // Changes the connection itself: a copy would freeze the values of its getters.
  return Object.assign<object, object>(connection, withState) as StatefulHubConnection<H>;
}
