// Hooks for rooms with state: their state, and their actions.

import { useCallback, useMemo, useSyncExternalStore } from "react";
import type { RoomText } from "../client/index.ts";
import type { HubAt } from "../components/hub-at.ts";
import { readLive, watchLive, type LiveValue } from "../components/live-values.ts";
import { pickedState, runsIn } from "../components/shown-state.ts";
import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { ActionsOf, ViewOf } from "../dispatch/define/hub-types.ts";
import type { Runs } from "../dispatch/define/stateful-room.ts";

/** A constant, because a new object would subscribe again. */
const WHOLE = pickedState<AnyHub, unknown>((state) => state);
const wholeState = <H extends AnyHub>() => WHOLE as unknown as LiveValue<H, ViewOf<H> | undefined>;

/**
 * The state of a room, or the part that `pick` returns. Renders again if the result is another value (`===`). Undefined
 * before the first snapshot, and without a room. `pick` may be a new function in every render.
 *
 * @example
 * const price = useRoomState(Auctions, "group:vase", (auction) => auction.price);
 */
export function useRoomState<H extends AnyHub>(
  hub: HubAt<H>,
  room: RoomText | null | undefined,
): ViewOf<H> | undefined;
export function useRoomState<H extends AnyHub, T>(
  hub: HubAt<H>,
  room: RoomText | null | undefined,
  pick: (state: ViewOf<H>) => T,
): T | undefined;
export function useRoomState<H extends AnyHub>(
  hub: HubAt<H>,
  room: RoomText | null | undefined,
  pick: (state: ViewOf<H>) => unknown = (state) => state,
): unknown {
  const subscribe = useCallback(
    (onChange: () => void) => watchLive({ hub, room }, wholeState<H>(), onChange),
    [hub, room],
  );
  let last: { readonly state: ViewOf<H>; readonly picked: unknown } | undefined;
  const read = (): unknown => {
    const state = readLive({ hub, room }, wholeState<H>());
    if (state === undefined) return undefined;
    // Picks once for each state, because React reads several times, and `pick` may return a new object each time.
    if (state !== last?.state) last = { state, picked: pick(state) };
    return last?.picked;
  };
  return useSyncExternalStore(subscribe, read, () => undefined);
}

/** The actions of a room as calls: the same functions in every render. */
export const useRun = <H extends AnyHub>(
  hub: HubAt<H>,
  room: RoomText | null | undefined,
): Runs<ActionsOf<H>> => useMemo(() => runsIn({ hub, room }), [hub, room]);
