// How an object begins to follow a room, or reports its members there again: the room's side of a `follow`.

import type { Position } from "../../model/topic.ts";
import type { FullFollow, MemberCount } from "../rpc/room-rpc.ts";
import type { RoomParts } from "./room-parts.ts";
import { endUnwatched } from "./watched.ts";

interface FollowCall {
  readonly follower: string;
  readonly members: readonly MemberCount[];
  readonly anew: FullFollow | undefined;
}

/** The position is read in the same turn in which the follower is added: no entry is missing, none comes twice. */
export function acceptFollower(
  parts: RoomParts,
  { follower, members, anew }: FollowCall,
  inBackground: (work: Promise<unknown>) => void,
): Position {
  const { activity, agenda, connections, followers, log, presence, sweepMs, userRoom } = parts;
  const counts = anew ? followers.complete(follower, members) : members;
  const comers = counts.flatMap(([userId, count]) => (count > 0 ? userId : []));
  // A follower may have other users as members, and these see its presence.
  if (userRoom && comers.length > 0) inBackground(userRoom.look());
  endUnwatched(parts, comers);
  followers.add(follower, counts, anew?.position);
  if (connections.all.size > 0) agenda.arm(Date.now() + sweepMs());
  if (counts.length > 0) activity.note();
  for (const [userId, connected, how = "set", trace] of counts)
    presence[how]([follower, userId, connected, trace]);
  return log.position;
}
