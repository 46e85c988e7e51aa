// Pages of a room's connections, in all objects: object after object, each in the order of connection ids.

import type {
  ConnectionEntry,
  ConnectionsPage,
  ConnectionsQuery,
  MembersCursor,
  MembersQuery,
} from "../rpc/members-page.ts";
import type { RoomParts } from "./room-parts.ts";

/** The room's own object in a cursor; before all names of other objects. */
const OWN = "";

/** One page. Over all pages each connection is listed once; one that begins or ends meanwhile may be missing. */
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
      // One more than the page shows whether there is a next page.
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

/** `found` ends with the entry beyond the page; the page's last entry may be of an earlier object. */
const cursorAfter = (found: readonly ConnectionEntry[], holder: string): MembersCursor => ({
  holder,
  id: found.length > 1 ? found.at(-2)!.connectionId : "",
});
