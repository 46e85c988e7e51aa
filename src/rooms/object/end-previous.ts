// Ends the earlier connection of a client that returns, which may be half open: only the client knows that it is lost.

import { CLOSE } from "../../model/errors.ts";
import { accountOf, type User } from "../../model/user.ts";
import type { ConnectionTable } from "../connection/connection-table.ts";

/** Ends the connection with this id, if this object holds it for the same user. The user stays present meanwhile. */
export function endPrevious(
  connections: ConnectionTable,
  user: User,
  previous: string | undefined,
): void {
  const old = previous === undefined ? undefined : connections.get(previous);
  if (!old || old.user.id !== user.id || accountOf(old.user) !== accountOf(user)) return;
  connections.close(old, CLOSE.replaced);
}
