// Connections of a room, wherever they are: page by page, object after object, each in the order of ids.

import type {
  ConnectionEntry,
  ConnectionsPage,
  ConnectionsQuery,
  MembersCursor,
  MembersQuery,
} from "../rpc/members-page.ts";
import type { RoomParts } from "./room-parts.ts";

/** The room's own object, among the holders. */
const OWN = "";

/** A connection that comes or goes meanwhile may be missed, or not; all others are listed once. */
export async function connectionsPage(
  { name: room, followers, stubs }: Pick<RoomParts, "name" | "followers" | "stubs">,
  ownMembers: (query: MembersQuery) => Promise<readonly ConnectionEntry[]>,
  { after = { holder: OWN, id: "" }, limit }: ConnectionsQuery,
): Promise<ConnectionsPage> {
  const connections: ConnectionEntry[] = [];
  const holders = [OWN, ...[...followers.links.keys()].toSorted()];
  for (const holder of holders.filter((name) => name >= after.holder)) {
    const query = {
      room,
      after: holder === after.holder ? after.id : "",
      // One more shows whether there is a next page.
      limit: limit + 1 - connections.length,
    };
    // oxlint-disable-next-line no-await-in-loop -- no further than the page reaches
    const found = await (holder === OWN ? ownMembers(query) : stubs(holder).membersIn(query));
    connections.push(...found);
    if (connections.length > limit)
      return { connections: connections.slice(0, limit), next: cursorAfter(found, holder) };
  }
  return { connections };
}

/** `found` ends with the entry that is one too many; the last of the page may be of an object before this one. */
const cursorAfter = (found: readonly ConnectionEntry[], holder: string): MembersCursor => ({
  holder,
  id: found.length > 1 ? found.at(-2)!.connectionId : "",
});
