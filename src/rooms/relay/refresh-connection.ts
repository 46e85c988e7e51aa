// A fresh token that comes beside its connection's transport: the connection token proves that its sender is the client.

import { publicError } from "../../model/errors.ts";
import type { User } from "../../model/user.ts";
import { beforeHandshake } from "../../protocols/before-handshake.ts";
import type { Host, Receiver } from "../object/host.ts";
import type { RefreshOutcome, RefreshRefusal } from "../rpc/relay-rpc.ts";
import type { RelayParts } from "./relay-parts.ts";

export interface RefreshTarget {
  readonly parts: RelayParts;
  readonly host: Host;
  readonly receiver: Receiver;
}

/** Refusals are values: any client may cause them, and the platform logs exceptions. */
export async function refreshConnection(
  { parts, host, receiver }: RefreshTarget,
  token: string,
  user: User,
): Promise<RefreshOutcome | RefreshRefusal> {
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
