// Who is in a room, connection by connection, wherever they are: page by page, object after object, each in the order
// of ids.

import type { Connection } from "../connection/connection.ts";
import type { RoomParts } from "../room/room-parts.ts";
import type { Parts } from "./object-parts.ts";
import type {
  ConnectionEntry,
  ConnectionsPage,
  ConnectionsQuery,
  MembersQuery,
} from "../rpc/members-page.ts";

const entryOf = ({ id, user }: Connection): ConnectionEntry => ({
  connectionId: id,
  userId: user.id,
});

export const membersIn = (parts: Parts, { room, after, limit }: MembersQuery): ConnectionEntry[] =>
  [...parts.membersOf(room)]
    .filter(({ id }) => id > after)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .slice(0, limit)
    .map(entryOf);

const OWN = "";

/** A connection that comes or goes meanwhile may be missed, or not; all others are listed once. */
export async function connectionsIn(
  { room, followers, peers }: RoomParts,
  here: (query: MembersQuery) => Promise<readonly ConnectionEntry[]>,
  { after = { holder: OWN, id: "" }, limit }: ConnectionsQuery,
): Promise<ConnectionsPage> {
  const connections: ConnectionEntry[] = [];
  const holders = [OWN, ...followers.names.toSorted()].filter((name) => name >= after.holder);
  for (const holder of holders) {
    const query = {
      room,
      after: holder === after.holder ? after.id : "",
      // One more tells whether there is a next page.
      limit: limit + 1 - connections.length,
    };
    const ask = holder === OWN ? here : (asked: MembersQuery) => peers(holder).membersIn(asked);
    // oxlint-disable-next-line no-await-in-loop -- no further than the page reaches
    const found = await ask(query);
    connections.push(...found);
    if (connections.length > limit) return cut(connections, found, { holder, limit });
  }
  return { connections };
}

/** The last one of a page may stand in an object before the one that has more. */
function cut(
  connections: readonly ConnectionEntry[],
  found: readonly ConnectionEntry[],
  { holder, limit }: { holder: string; limit: number },
): ConnectionsPage {
  const id = found.length > 1 ? found.at(-2)!.connectionId : "";
  return { connections: connections.slice(0, limit), next: { holder, id } };
}
