// Opens a connection to a room of a hub, and keeps it open.

import type { AnyHub } from "../dispatch/hub.ts";
import { HubError } from "../model/errors.ts";
import { addressOf } from "./address.ts";
import { connectionOf, type Connection } from "./connection.ts";
import { deferred } from "./deferred.ts";
import { DEFAULTS, type ConnectOptions } from "./options.ts";
import { Session } from "./session.ts";
import type { Hello } from "./wire.ts";

/** Undefined outside of browsers. */
const page = globalThis as { window?: EventTarget; location?: { readonly href: string } };

/**
 * Connects to a room, and again after every loss until it is closed.
 *
 * `const chat = connect<ChatHub>("/hubs/chat", { room: "group:lobby", token, handlers: { receiveMessage(user, text) {} } })`
 *
 * Throws where the address or the room's name is none. Everything later is told by events and rejections.
 */
export function connect<H extends AnyHub>(
  hub: string,
  { room, handlers, since, WebSocket, backoff, ...options }: ConnectOptions<H>,
): Connection<H> {
  const session = new Session({
    ...DEFAULTS,
    ...options,
    address: addressOf(hub, room, page.location?.href),
    backoff: { ...DEFAULTS.backoff, ...backoff },
    handlers,
    since,
    WebSocket,
  });
  const ready = readyOf(session);
  watchPage(session);
  return connectionOf<H>(session, ready);
}

function readyOf({ events }: Session): Promise<Hello> {
  const { promise, resolve, reject } = deferred<Hello>();
  events.connected.listen(resolve);
  events.state.listen((state) => {
    if (state.status === "closed")
      reject(state.error ?? new HubError("closed", "The connection was closed."));
  });
  // Who does not wait for it is told by the state.
  promise.catch(() => {});
  return promise;
}

/** A page that comes back, or a network, need not wait for the next attempt. */
function watchPage(session: Session): void {
  const { window } = page;
  if (!window) return;
  const over = new AbortController();
  for (const event of ["online", "pageshow", "visibilitychange"])
    window.addEventListener(event, () => session.wake(), { signal: over.signal });
  session.events.state.listen(({ status }) => void (status === "closed" && over.abort()));
}
