// A fresh token that comes beside its connection's transport, for whom the connection token proves to be its client.

import { publicError } from "../../model/errors.ts";
import type { User } from "../../model/user.ts";
import { beforeHandshake } from "../../protocols/before-handshake.ts";
import type { Host, Receiver, Refreshed } from "../object/host.ts";
import type { RelayParts } from "./relay-parts.ts";

/** Why a connection has no fresh token, as a code. */
export interface Unrefreshed {
  readonly code: string;
}

export interface Refreshing {
  readonly parts: RelayParts;
  readonly host: Host;
  readonly receiver: Receiver;
}

/** What anybody may cause is an answer, and no failure of the object. */
export async function refreshed(
  { parts, host, receiver }: Refreshing,
  token: string,
  user: User,
): Promise<Refreshed | Unrefreshed> {
  const seat = await parts.seats.read(token, user.id);
  const connection = seat && parts.connections.get(seat.id);
  if (!connection || connection.protocol === beforeHandshake)
    return { code: "connection_not_found" };
  // Of negotiate's version 0, whose tokens are ids that others may know.
  if (seat.id === token) return { code: "wrong_kind" };
  try {
    return await receiver.refreshed(host, connection, user);
  } catch (error) {
    const { code } = publicError(error);
    if (code === "internal") throw error;
    return { code };
  }
}
