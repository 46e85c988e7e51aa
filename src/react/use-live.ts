// Something of a room's connection that changes, as React wants to read it.

import { useCallback, useSyncExternalStore } from "react";
import type { Connection, RoomText, Unsubscribe } from "../client/index.ts";
import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { HubAt } from "./hub-at.ts";

export interface Place<H extends AnyHub> {
  readonly hub: HubAt<H>;
  /** Undefined or null: nowhere. */
  readonly room: RoomText | null | undefined;
}

type Watched = Pick<Connection<AnyHub>, "state" | "presence" | "onState" | "onPresence">;

export interface Live<T> {
  listen(connection: Watched, changed: () => void): Unsubscribe;
  /** The same object until it has changed. */
  read(connection: Watched): T;
  /** Before there is a connection, and where a page is rendered on a server. */
  readonly none: T;
}

/** Keeps the connection open while the component is there. */
export function useLive<H extends AnyHub, T>({ hub, room }: Place<H>, live: Live<T>): T {
  const subscribe = useCallback(
    (changed: () => void) => {
      if (!room) return () => {};
      const { connection, release } = hub.hold(room);
      const deaf = live.listen(connection, changed);
      return () => {
        deaf();
        release();
      };
    },
    [hub, room, live],
  );
  const read = (): T => {
    const connection = room ? hub.peek(room) : undefined;
    return connection ? live.read(connection) : live.none;
  };
  return useSyncExternalStore(subscribe, read, () => live.none);
}
