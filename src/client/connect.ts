// Opens a connection to a room of a hub, or to the whole hub, and keeps it open.

import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import { addressOf } from "./scope/room-address.ts";
import {
  hubConnectionOf,
  roomConnectionOf,
  type Connection,
  type HubConnection,
} from "./client-connection.ts";
import { HubPlace } from "./scope/hub-scope.ts";
import { DEFAULTS, type ConnectOptions, type HubConnectOptions } from "./connect-options.ts";
import type { Around, Place } from "./scope/scope.ts";
import { RoomPlace } from "./scope/room-scope.ts";
import { Session } from "./session/client-session.ts";
import type { Greeting, Hello } from "./transport/wire.ts";

/** Undefined outside of browsers. */
const page = globalThis as { window?: EventTarget; location?: { readonly href: string } };

/**
 * Connects to a room, and again after every loss until it is closed.
 *
 * `const chat = connect<ChatHub>("/hubs/chat", { room: "group:lobby", token, handlers: { receiveMessage(user, text) {} } })`
 *
 * Without a room it connects to the whole hub: to any of its rooms on one socket, by `join`.
 *
 * Throws where the address or the room's name is none. Everything later is told by events and rejections.
 */
export function connect<H extends AnyHub>(hub: string, options: ConnectOptions<H>): Connection<H>;
export function connect<H extends AnyHub>(
  hub: string,
  options: HubConnectOptions<H>,
): HubConnection<H>;
export function connect<H extends AnyHub>(
  hub: string,
  options: ConnectOptions<H> | HubConnectOptions<H>,
): Connection<H> | HubConnection<H> {
  if (!("room" in options))
    return hubConnectionOf<H>(open(hub, options, (around) => new HubPlace(around)));
  // A room that is undefined by mistake is none, and no whole hub.
  const { room = "", since } = options;
  return roomConnectionOf<H>(
    open<RoomPlace, Hello>(hub, options, (around) => new RoomPlace(around, since), room),
  );
}

function open<P extends Place, G extends Greeting>(
  hub: string,
  { handlers, WebSocket, backoff, ...options }: HubConnectOptions<AnyHub>,
  place: (around: Around) => P,
  room?: string,
): Session<P, G> {
  const session = new Session<P, G>(
    {
      ...DEFAULTS,
      ...options,
      address: addressOf(hub, room, page.location?.href),
      backoff: { ...DEFAULTS.backoff, ...backoff },
      handlers,
      WebSocket,
    },
    place,
  );
  watchPage(session);
  return session;
}

/** A page that comes back, or a network, need not wait for the next attempt. */
function watchPage(session: Pick<Session, "wake" | "events">): void {
  const { window } = page;
  if (!window) return;
  const over = new AbortController();
  for (const event of ["online", "pageshow", "visibilitychange"])
    window.addEventListener(event, () => session.wake(), { signal: over.signal });
  session.events.state.listen(({ status }) => void (status === "closed" && over.abort()));
}
