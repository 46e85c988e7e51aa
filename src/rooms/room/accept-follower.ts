// The room's side of `follow`: another object begins to follow the room, or reports its members again.

import type { Position } from "../../model/topic.ts";
import type { FullFollow, MemberCount } from "../rpc/room-rpc.ts";
import type { RoomParts } from "./room-parts.ts";
import { endUnwatched } from "./watched.ts";

interface FollowCall {
  readonly follower: string;
  readonly members: readonly MemberCount[];
  readonly anew: FullFollow | undefined;
}

/** Returns the room's position, read in the turn that adds the follower: no entry is missing, none comes twice. */
export function acceptFollower(
  parts: RoomParts,
  { follower, members, anew }: FollowCall,
  inBackground: (work: Promise<unknown>) => void,
): Position {
  const { activity, agenda, connections, followers, log, presence, sweepMs, userRoom } = parts;
  const counts = anew ? followers.complete(follower, members) : members;
  const comers = counts.flatMap(([userId, count]) => (count > 0 ? userId : []));
  // Other users whom hub code joined to a user's own room see its presence, so the room must be in use.
  if (userRoom && comers.length > 0) inBackground(userRoom.look());
  endUnwatched(parts, comers);
  followers.add(follower, counts, anew?.position);
  if (connections.all.size > 0) agenda.arm(Date.now() + sweepMs());
  if (counts.length > 0) activity.note();
  for (const [userId, connected, how = "set", trace] of counts)
    presence[how]([follower, userId, connected, trace]);
  return log.position;
}
