// `stateOf`: the state of a room over any connection that is in it. Uses the public members of connections only, so
// that pages without it do not bundle it.

import type { Connection, HubConnection } from "../client/client-connection.ts";
import type { Message } from "../client/model/client-messages.ts";
import type { RoomText } from "../client/model/room-address.ts";
import { RAW } from "../client/platform/raw.ts";
import type { Greeting, RoomGreeting } from "../client/transport/wire.ts";
import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import { STATE_TARGET, type StateChange } from "../model/state-wire.ts";
import { canonicalTopic } from "../model/topic.ts";
import { LiveState } from "./live-state.ts";
import type { RoomState, StateOptions } from "./state-types.ts";

/** Any connection: to the room itself, to its whole hub, or one of `roomOf`. */
export type StateConnection<H extends AnyHub> =
  | Connection<H, RoomGreeting>
  | Omit<HubConnection<H>, "join">;

/**
 * The state of a room, over a connection that is in it or about to be: the same object for the same connection and
 * room, with the guesses of the first call. Throws `invalid_name` and `room_kind_not_found`.
 *
 * @example
 * const hub = connect<AuctionHub>("/hubs/auctions", { token });
 * const vase = stateOf(roomOf(hub, "group:vase"), "group:vase");
 */
export function stateOf<H extends AnyHub>(
  connection: StateConnection<H>,
  room: RoomText,
  { guesses }: StateOptions<H> = {},
): RoomState<H> {
  const rooms = roomsOf(connection as unknown as StateConnection<AnyHub>);
  const name = canonicalTopic(room);
  const known = rooms.get(name);
  const state = known ?? Object.assign(new LiveState({ connection, room: name, guesses }), RAW);
  rooms.set(name, state);
  if (!known && isIn(connection, room)) void state.load();
  return state as unknown as RoomState<H>;
}

/** The connection has left the room: the next `stateOf` begins a new copy. */
export function forgetState(connection: object, room: RoomText): void {
  copies.get(connection)?.delete(canonicalTopic(room));
}

/** The rooms of each connection; they are dropped with the connection. */
const copies = new WeakMap<object, Map<string, LiveState>>();

function roomsOf(connection: StateConnection<AnyHub>): Map<string, LiveState> {
  const known = copies.get(connection);
  if (known) return known;
  const rooms = new Map<string, LiveState>();
  copies.set(connection, rooms);
  connection.onMessage(({ method, params, room = "", position }: Message) => {
    if (position === undefined) return;
    const change = (method as string) === STATE_TARGET ? (params[0] as StateChange) : undefined;
    rooms.get(room)?.receive(change, position);
  });
  connection.onConnected((greeting: Greeting | RoomGreeting) => {
    if ("room" in greeting) rooms.get(greeting.room)?.greet(greeting);
  });
  // The greeting of a hub names no room. A recovered connection replays only patches, which an empty copy ignores.
  if ("positionOf" in connection)
    connection.onRecovered(({ room }) => rooms.get(room)?.loadMissing());
  connection.onLeft(({ room }) => forgetState(connection, room as RoomText));
  return rooms;
}

/** Whether the connection is in the room already, so that the snapshot may have arrived before anything listened. */
const isIn = <H extends AnyHub>(connection: StateConnection<H>, room: RoomText): boolean =>
  connection.state.status === "connected" &&
  (!("positionOf" in connection) || connection.positionOf(room) !== undefined);
