// A client that comes back on a new connection names the one before, which may be half open: only the client can tell.

import { CLOSE } from "../../model/errors.ts";
import { accountOf, type User } from "../../model/user.ts";
import type { ConnectionTable } from "../connection/connection-table.ts";

/** Ends the connection with this id, where this object holds it for the same user. Its user stays present meanwhile. */
export function endPrevious(
  connections: ConnectionTable,
  user: User,
  previous: string | undefined,
): void {
  const old = previous === undefined ? undefined : connections.get(previous);
  if (!old || old.user.id !== user.id || accountOf(old.user) !== accountOf(user)) return;
  connections.close(old, CLOSE.replaced);
}
