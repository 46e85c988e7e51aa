// Whether anybody could tell that a connection of a room is gone. Where nobody could, the room looks for lost
// connections once an hour and not every `sweepSeconds`, so that a room with one idle client sleeps on; and once more
// before somebody sees who is there.

import type { ObjectCore } from "../object/object-parts.ts";
import { isWatchedOutside } from "../object/sweeps.ts";
import type { PresenceAnnouncer } from "../presence/presence-announcer.ts";
import type { Followers } from "./followers.ts";

interface Watched extends Pick<
  ObjectCore,
  "connections" | "followed" | "handlers" | "settings" | "webhooks"
> {
  readonly followers: Followers;
  /** Undefined where the room has none. */
  readonly state: object | undefined;
}

interface UnwatchedRoom extends Watched, Pick<ObjectCore, "liveness"> {
  readonly presence: PresenceAnnouncer;
}

/**
 * By another connection, a follower, a room elsewhere, a webhook, a hook of the hub, an action of the room's state, or
 * a call that is under way for it.
 */
export const isWatched = (room: Watched): boolean =>
  room.connections.all.size > 1 ||
  room.followers.links.size > 0 ||
  room.state !== undefined ||
  isWatchedOutside(room);

/**
 * Ends what the sweep has not found while it rested. Called before somebody sees the room's connections or users: lost
 * users have no grace then, but for those who come.
 */
export function endUnwatched(room: UnwatchedRoom, comers: readonly string[] = []): void {
  if (room.connections.all.size === 0 || isWatched(room)) return;
  for (const { user } of room.liveness().endAllSilent(Date.now()))
    if (!comers.includes(user.id)) room.presence.addOwn(user.id, 0, { how: "left" });
}
