// Who is in a room, as a component sees it.

import type { Presence } from "../client/index.ts";
import { NOBODY } from "../client/scope/room-presence.ts";
import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import { useLive, type Live, type Place } from "./use-live.ts";

const PRESENCE: Live<Presence> = {
  listen: (connection, changed) => connection.onPresence(changed),
  read: (connection) => connection.presence,
  none: NOBODY,
};

/** Renders anew at every join, leave and `track`: `usePresence(useHub(Chat, { room }))`, or `usePresence({ hub: Chat, room })`. */
export const usePresence = <H extends AnyHub>(place: Place<H>): Presence =>
  useLive(place, PRESENCE);
