// Hooks for single values of a room: its presence, its newest messages, and its connection.

import { useMemo } from "react";
import type { Presence } from "../client/index.ts";
import type { RoomConnection } from "../components/hub-at.ts";
import { connectionIn, presenceIn, type RoomReference } from "../components/live-values.ts";
import {
  roomHistory,
  type RoomHistory,
  type RoomHistoryOptions,
} from "../components/room-history.ts";
import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { PresenceStateOf } from "../dispatch/define/hub-types.ts";
import { useLive } from "./use-live.ts";

/**
 * The users in the room. Renders again with every join, leave and `track`. Takes the result of `useHub`, or a hub and a
 * room: `usePresence(useHub(Chat, { room }))`, `usePresence({ hub: Chat, room })`.
 */
export const usePresence = <H extends AnyHub>(
  room: RoomReference<H>,
): Presence<PresenceStateOf<H>> => useLive(room, presenceIn<H>());

/**
 * The newest messages of the room, from its history and then live: none missing and none twice, even after a lost
 * connection. Needs the right to read the history; `error` shows if it is missing.
 */
export function useHistory<H extends AnyHub>(
  { hub, room }: RoomReference<H>,
  { limit, most }: RoomHistoryOptions = {},
): RoomHistory<H> {
  // oxlint-disable-next-line react-hooks/exhaustive-deps -- hub and room: another room has messages of its own
  const value = useMemo(() => roomHistory<H>({ limit, most }), [hub, room, limit, most]);
  return useLive({ hub, room }, value);
}

/** The room's connection, for everything else. Undefined until the component is mounted, and without a room. */
export const useConnection = <H extends AnyHub>(
  room: RoomReference<H>,
): RoomConnection<H> | undefined => useLive(room, connectionIn<H>());
