// A room whose storage could not be read, and was deleted, has forgotten its followers, which still rely on it. It
// sends the relays of the hub a request to follow it again, where they have members of it. The room `all` has lost the
// list of relays as well: it sends the request to each object that reports, until all have done so.

import { logWarning } from "../../model/logger.ts";
import { ALL } from "../../model/topic.ts";
import { askMany } from "../platform/ask-many.ts";
import { indexedObject } from "../rpc/object-names.ts";
import type { RoomParts } from "./room-parts.ts";

/** Longer than objects that only have connections rest between two reports. */
const REPORTS_MS = 7 * 3_600_000;

/** Clients in a relay that cannot be reached hear the room again from the next join there. */
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

/** The object of this name in the index has reported. */
export async function refollowReporter(parts: RoomParts, name: string): Promise<void> {
  if (!parts.followers.links.has(indexedObject(name, parts.address))) await askEach(parts, [name]);
}

/**
 * The room `all` asks followers that have reported nobody, since `online` was off in the deploy in which they began.
 * One that still runs that deploy is asked again at the next wake.
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
