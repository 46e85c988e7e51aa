// A room whose storage could not be read, and was deleted, has lost the list of its followers, which still expect
// entries. It requests the relays of the hub to follow it again if they have members of it. The room `all` has lost the
// list of relays as well: it sends the request to each object that reports, until all have reported.

import { logWarning } from "../../model/logger.ts";
import { ALL } from "../../model/topic.ts";
import { askMany } from "../rpc/ask-many.ts";
import { indexedObject } from "../rpc/object-names.ts";
import type { RoomParts } from "./room-parts.ts";

/** Longer than the pause between two reports of an object that only holds connections. */
const REPORTS_MS = 7 * 3_600_000;

/** Clients at a relay that cannot be reached get the room's messages again after the next join at that relay. */
export async function refollowRelays(parts: RoomParts): Promise<void> {
  const { index } = parts;
  if (index) return index().askReporters(Date.now() + REPORTS_MS);
  let after: string | undefined;
  do {
    // oxlint-disable-next-line no-await-in-loop -- a page after the other
    const { rooms, more } = await parts.room(ALL).relays(after === undefined ? {} : { after });
    const relays = rooms.map(({ room }) => room);
    // oxlint-disable-next-line no-await-in-loop -- as many at once as a page has
    await askEach(parts, relays);
    after = more ? relays.at(-1) : undefined;
  } while (after !== undefined);
}

/** Requests the object with this name in the index, which has reported, to follow, unless it is a follower. */
export async function refollowReporter(parts: RoomParts, name: string): Promise<void> {
  if (!parts.followers.links.has(indexedObject(name, parts.address))) await askEach(parts, [name]);
}

/**
 * For the room `all`: requests followers that have reported no members to follow again. They began under a deploy
 * without `online`. A follower that still runs that deploy gets the request again at the room's next wake.
 */
export async function refollowUncounted(parts: RoomParts): Promise<void> {
  const { followers, name: room, presence, stubs } = parts;
  if (followers.links.size === 0) return;
  const { sources } = presence;
  const uncounted = [...followers.links.keys()].filter((follower) => !sources.has(follower));
  await askMany(uncounted, (follower) => stubs(follower).refollow(room));
}

async function askEach(parts: RoomParts, listed: readonly string[]): Promise<void> {
  const { address, name: room, stubs } = parts;
  const ask = (name: string) => stubs(indexedObject(name, address)).refollow(room);
  const logFailure = (error: unknown) => logWarning("follower_unreached", { room, error });
  await askMany(listed, ask).catch(logFailure);
}
