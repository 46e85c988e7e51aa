// A changing value of a room's connection, such as its state or presence, as an external store of React.

import { useCallback, useSyncExternalStore } from "react";
import type { Connection, RoomText, Unsubscribe } from "../client/index.ts";
import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { HubAt } from "./hub-at.ts";

export interface RoomReference<H extends AnyHub> {
  readonly hub: HubAt<H>;
  /** Undefined or null: no room. */
  readonly room: RoomText | null | undefined;
}

type ConnectionView = Pick<Connection<AnyHub>, "state" | "presence" | "onState" | "onPresence">;

/** How to read a value. One constant object for each value: a new one in every render would subscribe anew. */
export interface LiveValue<T> {
  listen(connection: ConnectionView, onChange: () => void): Unsubscribe;
  /** Returns the same object as long as it does not change, as React requires of a snapshot. */
  read(connection: ConnectionView): T;
  /** The value while there is no connection, and for rendering on a server. */
  readonly fallback: T;
}

/** The value in the room's connection. Holds the connection while the component is mounted. */
export function useLive<H extends AnyHub, T>(
  { hub, room }: RoomReference<H>,
  value: LiveValue<T>,
): T {
  const subscribe = useCallback(
    (onChange: () => void) => {
      if (!room) return () => {};
      const { connection, release } = hub.hold(room);
      const unsubscribe = value.listen(connection, onChange);
      return () => {
        unsubscribe();
        release();
      };
    },
    [hub, room, value],
  );
  const read = (): T => {
    const connection = room ? hub.peek(room) : undefined;
    return connection ? value.read(connection) : value.fallback;
  };
  return useSyncExternalStore(subscribe, read, () => value.fallback);
}
