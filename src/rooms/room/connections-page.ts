// Pages of a room's connections, in all objects: object after object, each in the order of connection ids.

import type {
  ConnectionEntry,
  ConnectionsPage,
  ConnectionsQuery,
  MembersCursor,
  MembersQuery,
} from "../rpc/members-page.ts";
import type { RoomParts } from "./room-parts.ts";

/** The holder in a cursor that stands for the room's own object; it sorts before the names of other objects. */
const OWN_OBJECT = "";

/** One page. Over all pages each connection is listed once; one that begins or ends meanwhile may be missing. */
export async function connectionsPage(
  { name: room, followers, stubs }: Pick<RoomParts, "name" | "followers" | "stubs">,
  ownMembers: (query: MembersQuery) => Promise<readonly ConnectionEntry[]>,
  { after = { holder: OWN_OBJECT, id: "" }, limit }: ConnectionsQuery,
): Promise<ConnectionsPage> {
  const connections: ConnectionEntry[] = [];
  const holders = [OWN_OBJECT, ...[...followers.links.keys()].toSorted()];
  for (const holder of holders.filter((name) => name >= after.holder)) {
    const query = {
      room,
      after: holder === after.holder ? after.id : "",
      // One more than the page shows whether there is a next page.
      limit: limit + 1 - connections.length,
    };
    // oxlint-disable-next-line no-await-in-loop -- no further than the page reaches
    const members = await (holder === OWN_OBJECT
      ? ownMembers(query)
      : stubs(holder).membersIn(query));
    connections.push(...members);
    if (connections.length > limit)
      return { connections: connections.slice(0, limit), next: cursorAfter(members, holder) };
  }
  return { connections };
}

/** The last of `members` is beyond the page. If it is the only one, the page ends with an earlier object. */
const cursorAfter = (members: readonly ConnectionEntry[], holder: string): MembersCursor => ({
  holder,
  id: members.length > 1 ? members.at(-2)!.connectionId : "",
});
