// A changing value of a room's connection as an external store of React.

import { useCallback, useSyncExternalStore } from "react";
import {
  readLive,
  startOf,
  watchLive,
  type LiveValue,
  type RoomReference,
} from "../components/live-values.ts";
import type { AnyHub } from "../dispatch/define/hub-definition.ts";

/** A value of the room's connection. Holds the connection while the component is mounted, and opens none before. */
export function useLive<H extends AnyHub, T>(
  { hub, room }: RoomReference<H>,
  value: LiveValue<H, T>,
): T {
  const subscribe = useCallback(
    (onChange: () => void) => watchLive({ hub, room }, value, onChange),
    [hub, room, value],
  );
  return useSyncExternalStore(
    subscribe,
    () => readLive({ hub, room }, value),
    () => startOf({ hub, room }, value),
  );
}
