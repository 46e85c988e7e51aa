// `usePresence`: the presence of a room in a component.

import type { Presence } from "../client/index.ts";
import { EMPTY_PRESENCE } from "../client/model/room-presence.ts";
import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import { useLive, type LiveValue, type RoomReference } from "./use-live.ts";

const PRESENCE: LiveValue<Presence> = {
  listen: (connection, onChange) => connection.onPresence(onChange),
  read: (connection) => connection.presence,
  fallback: EMPTY_PRESENCE,
};

/**
 * The users in the room. Renders again with every join, leave and `track`. Takes the result of `useHub`, or a hub and a
 * room: `usePresence(useHub(Chat, { room }))`, `usePresence({ hub: Chat, room })`.
 */
export const usePresence = <H extends AnyHub>(room: RoomReference<H>): Presence =>
  useLive(room, PRESENCE);
