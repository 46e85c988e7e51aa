// Changing values of a room's connection, such as its state, presence and newest messages, as components show them.
// Each framework has a function of its own that turns them into its kind of reactive value.

import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { PresenceStateOf } from "../dispatch/define/hub-types.ts";
import type { HandlersOf } from "../client/model/client-handlers.ts";
import type { State } from "../client/model/client-state.ts";
import type { RoomText } from "../client/model/room-address.ts";
import { EMPTY_PRESENCE, type Presence } from "../client/model/room-presence.ts";
import type { Unsubscribe } from "../client/platform/emitter.ts";
import type { HubAt, RoomConnection } from "./hub-at.ts";

/** A room of a hub, or no room. A reference opens nothing. */
export interface RoomReference<H extends AnyHub> {
  readonly hub: HubAt<H>;
  /** Undefined or null: no room. */
  readonly room: RoomText | null | undefined;
}

/** A room whose connection is held. */
export interface HeldRoom<H extends AnyHub> extends RoomReference<H> {
  readonly room: RoomText;
}

/** How to read a value. One constant object for each value: a new one in every render would subscribe again. */
export interface LiveValue<H extends AnyHub, T> {
  listen(connection: RoomConnection<H>, onChange: () => void, held: HeldRoom<H>): Unsubscribe;
  /** Returns the same object as long as it does not change, as React requires of a snapshot. */
  read(connection: RoomConnection<H>, held: HeldRoom<H>): T;
  /** The value of a room while there is no connection, and for rendering on a server. */
  readonly fallback: T;
  /** The value if there is no room. Default: `fallback`. */
  readonly withoutRoom?: T;
}

const CONNECTING: State = { status: "connecting" };
const NO_ROOM: State = { status: "closed" };

export const STATE: LiveValue<AnyHub, State> = {
  listen: (connection, onChange) => connection.onState(onChange),
  read: (connection) => connection.state,
  fallback: CONNECTING,
  withoutRoom: NO_ROOM,
};

export const presenceIn = <H extends AnyHub>(): LiveValue<H, Presence<PresenceStateOf<H>>> =>
  PRESENCE as LiveValue<H, Presence<PresenceStateOf<H>>>;

const PRESENCE: LiveValue<AnyHub, Presence> = {
  listen: (connection, onChange) => connection.onPresence(onChange),
  read: (connection) => connection.presence,
  fallback: EMPTY_PRESENCE,
};

export const connectionIn = <H extends AnyHub>(): LiveValue<H, RoomConnection<H> | undefined> =>
  CONNECTION as unknown as LiveValue<H, RoomConnection<H> | undefined>;

const CONNECTION: LiveValue<AnyHub, RoomConnection<AnyHub> | undefined> = {
  listen: () => () => {},
  read: (connection) => connection,
  fallback: undefined,
};

/** False while a page is rendered on a server. */
export const isPage = (): boolean => "document" in globalThis;

/**
 * Holds the room's connection, and calls `onChange` for each change of the value until the returned function is called.
 * Without a room nothing happens.
 */
export function watchLive<H extends AnyHub, T>(
  { hub, room }: RoomReference<H>,
  value: LiveValue<H, T>,
  onChange: () => void,
): Unsubscribe {
  if (!room) return () => {};
  const { connection, release } = hub.hold(room);
  const unsubscribe = value.listen(connection, onChange, { hub, room });
  return () => {
    unsubscribe();
    release();
  };
}

/** The value before anything is connected. */
export const startOf = <H extends AnyHub, T>(
  { room }: RoomReference<H>,
  { fallback, withoutRoom = fallback }: LiveValue<H, T>,
): T => (room ? fallback : withoutRoom);

/** The present value; the start value if no component holds the room. */
export function readLive<H extends AnyHub, T>(
  { hub, room }: RoomReference<H>,
  value: LiveValue<H, T>,
): T {
  const connection = room ? hub.peek(room) : undefined;
  return room && connection ? value.read(connection, { hub, room }) : startOf({ hub, room }, value);
}

/** Holds the room's connection with these handlers, until the returned function is called. */
export function watchHandlers<H extends AnyHub>(
  { hub, room }: RoomReference<H>,
  handlers: HandlersOf<H>,
): Unsubscribe {
  if (!room) return () => {};
  const { connection, release } = hub.hold(room);
  const subscriptions = Object.entries(handlers).map(([method, handler]) =>
    connection.on(method as never, handler as never),
  );
  return () => {
    for (const unsubscribe of subscriptions) unsubscribe();
    release();
  };
}
