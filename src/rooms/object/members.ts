// This object's connections in a room, page by page.

import type { ConnectionEntry, MembersQuery } from "../rpc/members-page.ts";
import type { ObjectParts } from "./object-parts.ts";

/** In the order of connection ids. */
export const membersIn = (
  parts: Pick<ObjectParts, "membersOf">,
  { room, after, limit }: MembersQuery,
): ConnectionEntry[] =>
  [...parts.membersOf(room)]
    .filter(({ id }) => id > after)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .slice(0, limit)
    .map(({ id, user }) => ({ connectionId: id, userId: user.id }));
