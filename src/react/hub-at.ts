// `hubAt`: a hub as components refer to it, with its address and credentials. Holds one connection for each room, shared
// by all components that use the room. Independent of React.

import { connect } from "../client/connect.ts";
import type { Connection, ConnectOptions, RoomText } from "../client/index.ts";
import { Timer } from "../client/platform/timer.ts";
import type { AnyHub } from "../dispatch/define/hub-definition.ts";

/** Options of all rooms' connections. Another user needs another `hubAt`, because connections are shared. */
export type HubAtOptions = Omit<ConnectOptions<AnyHub>, "room" | "handlers" | "since">;

export interface HubAt<H extends AnyHub> {
  /**
   * The room's connection, opened by the first holder, whose `since` applies. It closes when the last holder has
   * released it. Throws the errors of `connect`.
   */
  hold(room: RoomText, since?: string): Held<H>;
  /** The room's connection, in whatever state, if there is one. Never opens one. */
  peek(room: RoomText): Connection<H> | undefined;
}

export interface Held<H extends AnyHub> {
  readonly connection: Connection<H>;
  /** Further calls have no effect. */
  release(): void;
}

interface SharedConnection<H extends AnyHub> {
  readonly connection: Connection<H>;
  holders: number;
  readonly closeTimer: Timer;
}

/**
 * Describes a hub, and opens no connection yet. The hub is a type parameter only, so a page loads no code of the server.
 *
 * @example
 * const Chat = hubAt<ChatHub>("/hubs/chat", { token: fetchToken });
 */
export function hubAt<H extends AnyHub>(url: string, options: HubAtOptions): HubAt<H> {
  const rooms = new Map<RoomText, SharedConnection<H>>();
  const open = (room: RoomText, since: string | undefined): SharedConnection<H> => ({
    connection: connect<H>(url, { ...options, room, ...(since !== undefined && { since }) }),
    holders: 0,
    closeTimer: new Timer(),
  });
  const close = (room: RoomText, shared: SharedConnection<H>): void => {
    shared.connection.close();
    if (rooms.get(room) === shared) rooms.delete(room);
  };
  return {
    peek: (room) => rooms.get(room)?.connection,
    hold(room, since) {
      let shared = rooms.get(room);
      if (!shared || isObsolete(shared)) rooms.set(room, (shared = open(room, since)));
      return addHolder(shared, () => close(room, shared));
    },
  };
}

/** The connection closed by itself, and no component shows it any more: the next holder gets a new one. */
const isObsolete = <H extends AnyHub>({ connection, holders }: SharedConnection<H>): boolean =>
  holders === 0 && connection.state.status === "closed";

/**
 * The last release closes the connection only in the next turn of the event loop: in React's StrictMode, and when a page
 * replaces one component of a room by another, a new holder comes right after it.
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
