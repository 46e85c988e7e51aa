// Replaces the token of a connection by a request over HTTP, outside its transport. The connection token proves that
// the request is from the connection's client.

import { publicError } from "../../model/errors.ts";
import type { User } from "../../model/user.ts";
import { beforeHandshake } from "../../protocols/before-handshake.ts";
import type { Host, Receiver } from "../object/host.ts";
import type { RefreshOutcome, RefreshRefusal } from "../rpc/relay-rpc.ts";
import type { RelayParts } from "./relay-parts.ts";

interface RefreshTarget {
  readonly parts: RelayParts;
  readonly host: Host;
  readonly receiver: Receiver;
}

/**
 * Returns the effects of the token, or the refusal: `connection_not_found`, `wrong_kind`, or a code of
 * `Receiver.refreshRequested`. Refusals are values, because any client may cause them and the platform logs exceptions.
 */
export async function refreshConnection(
  { parts, host, receiver }: RefreshTarget,
  token: string,
  user: User,
): Promise<RefreshOutcome | RefreshRefusal> {
  const seat = await parts.seats.read(token, user.id);
  const connection = seat && parts.connections.get(seat.id);
  if (!connection || connection.protocol === beforeHandshake)
    return { code: "connection_not_found" };
  // Negotiated with version 0: the connection token is the public id, and proves nothing.
  if (seat.id === token) return { code: "wrong_kind" };
  try {
    return await receiver.refreshRequested(host, connection, user);
  } catch (error) {
    const { code } = publicError(error);
    if (code === "internal") throw error;
    return { code };
  }
}
