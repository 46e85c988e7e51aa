// `connect`: opens a connection to a room of a hub, or to the whole hub, and keeps it open.

import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import { withDefaults } from "../model/with-defaults.ts";
import {
  hubConnectionOf,
  roomConnectionOf,
  type Connection,
  type HubConnection,
} from "./client-connection.ts";
import type { ConnectOptions, HubConnectOptions } from "./connect-options.ts";
import type { WebSocketClass } from "./platform/web-socket-class.ts";
import { DEFAULTS } from "./model/client-defaults.ts";
import { addressOf, type Address } from "./model/room-address.ts";
import { HubScope } from "./scope/hub-scope.ts";
import { RoomScope } from "./scope/room-scope.ts";
import type { Scope, ScopeHost } from "./scope/scope.ts";
import { Session } from "./session/client-session.ts";
import type { Greeting, Hello } from "./transport/wire.ts";

/** Features that a platform may lack. React Native has a `window` without listeners [CP1]; workers have no `window`. */
const platform = globalThis as Partial<EventTarget> & {
  readonly window?: Partial<EventTarget>;
  readonly location?: { readonly href: string };
  readonly WebSocket?: WebSocketClass;
};

/**
 * Connects to a room of a hub, and reconnects after every loss until the connection is closed. Without a `room` it
 * connects to the whole hub: all its rooms on one socket, joined by `join`.
 *
 * `hub` is a path on the page's host or an absolute URL (`https:`, `wss:`, …).
 *
 * Returns at once; the first attempt has started. Throws a TypeError if `hub` is not a valid URL, and `invalid_name` or
 * `room_kind_not_found` for the room. All later errors are events of the connection, or rejections of its calls.
 *
 * @example
 * const chat = connect<ChatHub>("/hubs/chat", {
 *   room: "group:lobby",
 *   token: fetchToken,
 *   handlers: { receiveMessage: (user, text) => console.log(user, text) },
 * });
 * await chat.invoke.sendToRoom("lobby", "hello");
 */
export function connect<H extends AnyHub>(
  hub: string,
  options: HubConnectOptions<H> & { readonly room?: undefined },
): HubConnection<H>;
// The last signature, because compilers report the errors of the last one: here a wrong room, by its name.
export function connect<H extends AnyHub>(hub: string, options: ConnectOptions<H>): Connection<H>;
export function connect<H extends AnyHub>(
  hub: string,
  options: ConnectOptions<H> | HubConnectOptions<H>,
): Connection<H> | HubConnection<H> {
  const isRoom = "room" in options;
  // A room that is undefined by mistake must throw `invalid_name`, and not connect to the whole hub.
  const room = isRoom ? (options.room ?? "") : undefined;
  const address = addressOf(hub, room, platform.location?.href);
  if (isRoom)
    return roomConnectionOf<H>(
      open<RoomScope, Hello>(address, options, (host) => new RoomScope(host, options.since)),
    );
  return hubConnectionOf<H>(open(address, options, (host) => new HubScope(host)));
}

function open<S extends Scope, G extends Greeting>(
  address: Address,
  { handlers, WebSocket = platform.WebSocket, backoff, ...options }: HubConnectOptions<AnyHub>,
  scopeFor: (host: ScopeHost) => S,
): Session<S, G> {
  const session = new Session<S, G>(
    {
      ...withDefaults(DEFAULTS, options),
      address,
      backoff: withDefaults(DEFAULTS.backoff, backoff),
      handlers,
      WebSocket,
    },
    scopeFor,
  );
  wakeOnReturn(session);
  // At the end, so that nothing is running if an earlier step throws.
  session.start();
  return session;
}

/** Starts the next attempt at once when the network or the page is back. The listeners end with the connection. */
function wakeOnReturn(session: Pick<Session, "wake" | "events">): void {
  const target = platform.window ?? platform;
  const controller = new AbortController();
  for (const event of ["online", "pageshow", "visibilitychange"])
    target.addEventListener?.(event, () => session.wake(), controller);
  session.events.state.listen(({ status }) => void (status === "closed" && controller.abort()));
}
