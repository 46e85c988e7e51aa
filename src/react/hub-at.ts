// A hub as components know it: where it is, who asks, and one connection for each room, shared by all who use it.
// Nothing of React is in here.

import { connect } from "../client/connect.ts";
import type { Connection, ConnectOptions, RoomText } from "../client/index.ts";
import { Timer } from "../client/transport/timer.ts";
import type { AnyHub } from "../dispatch/define/hub-definition.ts";

/** What holds in every room. Another user is another `hubAt`. */
export type HubAtOptions = Omit<ConnectOptions<AnyHub>, "room" | "handlers" | "since">;

export interface HubAt<H extends AnyHub> {
  /**
   * The room's connection: opened for the first who holds it (then from `since` on), closed when the last has let go.
   * Throws what `connect` throws.
   */
  hold(room: RoomText, since?: string): Held<H>;
  /** The room's connection, if there is one. Opens nothing. */
  peek(room: RoomText): Connection<H> | undefined;
}

export interface Held<H extends AnyHub> {
  readonly connection: Connection<H>;
  release(): void;
}

interface Shared<H extends AnyHub> {
  readonly connection: Connection<H>;
  holders: number;
  readonly closing: Timer;
}

/**
 * Describes a hub; opens nothing yet. The hub is a type only, so nothing of the server comes into the page.
 *
 * @example
 * const Chat = hubAt<ChatHub>("/hubs/chat", { token: fetchToken });
 */
export function hubAt<H extends AnyHub>(url: string, options: HubAtOptions): HubAt<H> {
  const rooms = new Map<RoomText, Shared<H>>();
  const opened = (room: RoomText, since: string | undefined): Shared<H> => ({
    connection: connect<H>(url, { ...options, room, ...(since !== undefined && { since }) }),
    holders: 0,
    closing: new Timer(),
  });
  const close = (room: RoomText, shared: Shared<H>): void => {
    shared.connection.close();
    if (rooms.get(room) === shared) rooms.delete(room);
  };
  return {
    peek: (room) => rooms.get(room)?.connection,
    hold(room, since) {
      let shared = rooms.get(room);
      if (!shared || isSpent(shared)) rooms.set(room, (shared = opened(room, since)));
      return held(shared, () => close(room, shared));
    },
  };
}

/** It has ended by itself, and nobody watches it any more: who comes now begins anew. */
const isSpent = <H extends AnyHub>({ connection, holders }: Shared<H>): boolean =>
  holders === 0 && connection.state.status === "closed";

/** Closes a moment later: React's StrictMode, and a page that moves on within the room, let go and hold on at once. */
function held<H extends AnyHub>(shared: Shared<H>, close: () => void): Held<H> {
  let isHeld = true;
  shared.holders += 1;
  shared.closing.clear();
  return {
    connection: shared.connection,
    release() {
      if (!isHeld) return;
      isHeld = false;
      shared.holders -= 1;
      if (shared.holders === 0) shared.closing.set(close, 0);
    },
  };
}
