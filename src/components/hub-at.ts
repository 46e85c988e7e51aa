// `hubAt`: a hub as components refer to it, with its address and credentials. Opens each room once for all components
// that use it: on a socket of its own, or all rooms on one. Independent of any framework.

import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { StateOptions } from "../state/state-types.ts";
import type { Connection, HubConnection } from "../client/client-connection.ts";
import type { ConnectOptions } from "../client/connect-options.ts";
import { connect } from "../client/connect.ts";
import type { RoomText } from "../client/model/room-address.ts";
import { Timer } from "../client/platform/timer.ts";
import { roomOf } from "../client/room-view.ts";
import type { RoomGreeting } from "../client/transport/wire.ts";

/** Options of all rooms' connections. Another user needs another `hubAt`, because connections are shared. */
export interface HubAtOptions<H extends AnyHub = AnyHub>
  extends Omit<ConnectOptions<AnyHub>, "room" | "handlers" | "since">, StateOptions<H> {
  /**
   * Whether all rooms share one WebSocket to the whole hub, instead of one for each room. For pages with more than a
   * few rooms; at most the hub's `groupsPerConnection` (100). Default: false.
   */
  readonly oneSocket?: boolean | undefined;
}

/** A hub at an address: it opens a room when the first component uses it. */
export interface HubAt<H extends AnyHub> {
  /** `Guesses<H>`: optimistic updates of the rooms' states. Untyped, so that code for any hub accepts this hub. */
  readonly guesses: object | undefined;
  /**
   * The room's connection, opened by the first holder, whose `since` applies. It closes when the last holder has
   * released it. Throws the errors of `connect`.
   */
  hold(room: RoomText, since?: string): Held<H>;
  /** The room's connection, in whatever state, if there is one. Never opens one. */
  peek(room: RoomText): RoomConnection<H> | undefined;
}

/** A room's connection, on a socket of its own or on that of the whole hub. */
export type RoomConnection<H extends AnyHub> = Connection<H, RoomGreeting>;

/** A room that a component holds open. */
export interface Held<H extends AnyHub> {
  readonly connection: RoomConnection<H>;
  /** Further calls have no effect. */
  release(): void;
}

interface SharedConnection<H extends AnyHub> {
  readonly connection: RoomConnection<H>;
  holders: number;
  readonly closeTimer: Timer;
}

/** Opens the connections of rooms. */
interface Sockets<H extends AnyHub> {
  open(room: RoomText, since: string | undefined): RoomConnection<H>;
  /** Called when no room is in use any more. */
  idle(): void;
}

/**
 * Describes a hub, and opens no connection yet. The hub is a type parameter only, so a page loads no code of the
 * server.
 *
 * @example
 * const Chat = hubAt<ChatHub>("/hubs/chat", { token: fetchToken });
 */
export function hubAt<H extends AnyHub>(
  url: string,
  { oneSocket = false, guesses, ...options }: HubAtOptions<H>,
): HubAt<H> {
  const rooms = new Map<RoomText, SharedConnection<H>>();
  const sockets = oneSocket ? oneForAll<H>(url, options) : oneForEach<H>(url, options);
  const open = (room: RoomText, since: string | undefined): SharedConnection<H> => ({
    connection: sockets.open(room, since),
    holders: 0,
    closeTimer: new Timer(),
  });
  const close = (room: RoomText, shared: SharedConnection<H>): void => {
    shared.connection.close();
    if (rooms.get(room) === shared) rooms.delete(room);
    if (rooms.size === 0) sockets.idle();
  };
  return {
    guesses,
    peek: (room) => rooms.get(room)?.connection,
    hold(room, since) {
      let shared = rooms.get(room);
      if (!shared || isObsolete(shared)) rooms.set(room, (shared = open(room, since)));
      return addHolder(shared, () => close(room, shared));
    },
  };
}

type SocketOptions = Omit<HubAtOptions, "oneSocket" | "guesses">;

const oneForEach = <H extends AnyHub>(url: string, options: SocketOptions): Sockets<H> => ({
  open: (room, since) => connect<H>(url, { ...options, room, since }),
  idle() {},
});

/** The hub's connection opens with the first room, and closes with the last. */
function oneForAll<H extends AnyHub>(url: string, options: SocketOptions): Sockets<H> {
  let hub: HubConnection<H> | undefined;
  return {
    open(room, since) {
      if (!hub || hub.state.status === "closed") hub = connect<H>(url, options);
      return roomOf(hub, room, { since });
    },
    idle() {
      hub?.close();
      hub = undefined;
    },
  };
}

/** Whether the connection has closed by itself, and no component holds it: the next holder gets a new one. */
const isObsolete = <H extends AnyHub>({ connection, holders }: SharedConnection<H>): boolean =>
  holders === 0 && connection.state.status === "closed";

/**
 * The last release closes the connection only in the next turn of the event loop: in React's StrictMode, and when a
 * page replaces one component of a room by another, a new holder follows immediately.
 */
function addHolder<H extends AnyHub>(shared: SharedConnection<H>, close: () => void): Held<H> {
  let isReleased = false;
  shared.holders += 1;
  shared.closeTimer.clear();
  return {
    connection: shared.connection,
    release() {
      if (isReleased) return;
      isReleased = true;
      shared.holders -= 1;
      if (shared.holders === 0) shared.closeTimer.set(close, 0);
    },
  };
}
