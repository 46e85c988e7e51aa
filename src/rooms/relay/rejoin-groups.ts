// Where a client that comes back left its groups: at the relay it comes to now, or, because relays fill up and empty
// again, at the one that its key leads to on another level.

import { CLOSE, publicError } from "../../model/errors.ts";
import { logWarning } from "../../model/logger.ts";
import { parseTopic } from "../../model/topic.ts";
import { objectName } from "../rpc/object-names.ts";
import type { Connection } from "../connection/connection.ts";
import { limitsOf } from "../connection/connection-limits.ts";
import type { Cause } from "../links/memberships.ts";
import { messageOf } from "../delivery/outbox.ts";
import type { HolderRpc } from "../rpc/room-rpc.ts";
import type { RelayParts } from "./relay-parts.ts";
import { GREETING_MS, settledWithin } from "../object/link-wait.ts";
import { hashOf, LEVELS, parseRelayName, relayName } from "../rpc/relay-levels.ts";
import { grantedTo } from "./remembered-groups.ts";
import type { RememberedRoom } from "../rpc/relay-rpc.ts";

/** What a client's key is made of: the edge sends it the same way each time. */
export const clientKey = (userId: string, client: string): string =>
  JSON.stringify([userId, client]);

/** Relays of the same key on other levels. */
export interface Recalling extends HolderRpc {
  recall(userId: string, client: string, upward: boolean): Promise<readonly RememberedRoom[]>;
}

/**
 * A client that was here before finds its groups again, and what it missed there stands first, unless a room elsewhere
 * takes too long.
 */
export async function backIntoGroups(parts: RelayParts, connection: Connection): Promise<void> {
  const { connections, remembered } = parts;
  const { client } = connection.attached;
  if (client === undefined || !remembered) return;
  replaceOld(parts, connection.user.id, client, connection);
  remembered.begin(connection);
  const rooms = await recall(parts, connection).catch(failed);
  if (!connections.all.has(connection)) return remembered.putBack(connection, rooms);
  await settledWithin(
    GREETING_MS,
    rooms.map((one) => backInto(parts, connection, one, RETRIES_MS)),
  );
}

function failed(error: unknown): [] {
  logWarning("groups_unknown", { error });
  return [];
}

/** A token that came since may name other rooms. */
const admits = ({ user }: Connection, { room, granted }: RememberedRoom): boolean =>
  !granted || grantedTo(user).includes(room);

const causeOf = ({ granted }: RememberedRoom): Cause => (granted ? "token" : "hub");

/** Pauses before a room that failed is asked again; then the connection is in it, without what it missed. */
const RETRIES_MS: readonly number[] = [100, 1_000];

async function backInto(
  parts: RelayParts,
  connection: Connection,
  remembered: RememberedRoom,
  [pause, ...pauses]: readonly number[],
): Promise<void> {
  if (!admits(connection, remembered)) return;
  try {
    await catchUp(parts, connection, remembered);
  } catch (error) {
    const hasLeft = publicError(error).code === "cancelled";
    if (hasLeft || !parts.connections.all.has(connection)) return;
    logWarning("group_unreached", { room: remembered.room, error });
    if (pause === undefined)
      return parts.follows
        .belong(connection, parseTopic(remembered.room), causeOf(remembered))
        .catch(() => {});
    await scheduler.wait(pause);
    return backInto(parts, connection, remembered, pauses);
  }
}

function catchUp(parts: RelayParts, connection: Connection, remembered: RememberedRoom) {
  const { follows, outbox, settings } = parts;
  const { room, position: since, connection: before } = remembered;
  const most = limitsOf(connection, settings.limits).groupsPerConnection;
  const wanted = { topic: parseTopic(room), since, most, cause: causeOf(remembered) };
  return follows.catchUp(connection, wanted, ({ entries, position }) => {
    for (const entry of entries)
      if (!entry.except?.includes(before))
        outbox.send(connection, messageOf(room, position.epoch, entry));
  });
}

/** Not where the client said goodbye; where it was away already, what it missed began then. */
export function rememberGroups({ follows, remembered }: RelayParts, ended: Connection): void {
  if (ended.saidGoodbye) remembered?.forget(ended);
  else if (ended.socket) remembered?.keep(ended, follows.causesOf(ended));
  remembered?.end(ended);
}

/** Its socket broke, and what is said from now on it may never hear on this connection. */
export function rememberAway({ follows, remembered }: RelayParts, away: Connection): void {
  remembered?.keep(away, follows.causesOf(away));
}

/** A client has one connection: one that is half open here, or forgotten in another tab, makes way for the newest. */
function replaceOld(
  { connections }: RelayParts,
  userId: string,
  client: string,
  newest?: Connection,
) {
  for (const old of connections.all)
    if (old !== newest && old.user.id === userId && old.attached.client === client)
      connections.close(old, CLOSE.replaced);
}

/** The same for a client that is on another level now. */
export function recalled(
  parts: RelayParts,
  userId: string,
  client: string,
  upward: boolean,
): Promise<readonly RememberedRoom[]> {
  replaceOld(parts, userId, client);
  return recallHere(parts, userId, client, upward);
}

/** The rooms of the connection's client before, wherever it was. */
async function recall(
  parts: RelayParts,
  { user, attached: { client } }: Connection,
): Promise<readonly RememberedRoom[]> {
  if (client === undefined || !parts.remembered) return [];
  const upward = await recallHere(parts, user.id, client, true);
  if (upward.length > 0) return upward;
  const { level } = parseRelayName(parts.relay.relay)!;
  for (let below = level - 1; below >= 0; below--) {
    // oxlint-disable-next-line no-await-in-loop -- the first level that knows ends the search
    const rooms = await relayOn(parts, user.id, client, below).recall(user.id, client, false);
    if (rooms.length > 0) return rooms;
  }
  return [];
}

/** `upward`: also from higher levels, to which this relay has sent clients lately because it was full. */
async function recallHere(
  parts: RelayParts,
  userId: string,
  client: string,
  upward: boolean,
): Promise<readonly RememberedRoom[]> {
  const here = parts.remembered?.take(userId, client) ?? [];
  const above = parseRelayName(parts.relay.relay)!.level + 1;
  if (here.length > 0 || !upward || above === LEVELS || !parts.seats.wasFullLately) return here;
  return relayOn(parts, userId, client, above).recall(userId, client, true);
}

function relayOn(parts: RelayParts, userId: string, client: string, level: number): Recalling {
  const { relay } = parts;
  const name = relayName(parseRelayName(relay.relay)!, level, hashOf(clientKey(userId, client)));
  return parts.peers(objectName({ ...relay, relay: name })) as unknown as Recalling;
}
