// Whether anybody could notice that a connection of a room is gone. If nobody could, the room sweeps for lost
// connections once an hour instead of every `sweepSeconds`, so that a room with one idle client sleeps on, and once
// more before its connections or users are read.

import type { ObjectCore } from "../object/object-parts.ts";
import { isWatchedOutside } from "../object/sweeps.ts";
import type { PresenceAnnouncer } from "../presence/presence-announcer.ts";
import type { Followers } from "./followers.ts";

interface Watched extends Pick<
  ObjectCore,
  "connections" | "followed" | "handlers" | "settings" | "webhooks"
> {
  readonly followers: Followers;
  /** Undefined if the room has none. */
  readonly state: object | undefined;
}

interface UnwatchedRoom extends Watched, Pick<ObjectCore, "liveness"> {
  readonly presence: PresenceAnnouncer;
}

/**
 * The loss of a connection is noticed by another connection, a follower, a room elsewhere, a webhook, a hook of the
 * hub, an action of the room's state, or a call that is under way for it.
 */
export const isWatched = (room: Watched): boolean =>
  room.connections.all.size > 1 ||
  room.followers.links.size > 0 ||
  room.state !== undefined ||
  isWatchedOutside(room);

/**
 * Ends silent connections that the resting sweep has not found. Called before the room's connections or users are read:
 * lost users leave at once then, without a grace, except `comers`, who are connecting now.
 */
export function endUnwatched(room: UnwatchedRoom, comers: readonly string[] = []): void {
  if (room.connections.all.size === 0 || isWatched(room)) return;
  for (const { user } of room.liveness().endAllSilent(Date.now()))
    if (!comers.includes(user.id)) room.presence.addOwn(user.id, 0, { how: "left" });
}
