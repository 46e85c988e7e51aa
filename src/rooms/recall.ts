// Where a client that comes back left its groups: at the relay it comes to now, or, because relays fill up and empty
// again, at the one that its key leads to on another level.

import { CLOSE } from "../model/errors.ts";
import { parseTopic } from "../model/topic.ts";
import { objectName } from "./address.ts";
import type { Connection } from "./connection.ts";
import { messageOf } from "./outbox.ts";
import type { Holder } from "./peers.ts";
import type { RelayParts } from "./relay-parts.ts";
import { hashOf, LEVELS, parseRelayName, relayName } from "./relay-names.ts";
import type { RememberedRoom } from "./remembered.ts";

/** What a client's key is made of: the edge sends it the same way each time. */
export const clientKey = (userId: string, client: string): string =>
  JSON.stringify([userId, client]);

/** Relays of the same key on other levels. */
export interface Recalling extends Holder {
  recall(userId: string, client: string, upward: boolean): Promise<readonly RememberedRoom[]>;
}

/** A client that was here before finds its groups again, and what it missed there stands first. */
export async function backIntoGroups(parts: RelayParts, connection: Connection): Promise<void> {
  if (connection.attached.client === undefined || !parts.remembered) return;
  replaceOld(parts, connection);
  parts.remembered.begin(connection);
  const rooms = await recall(parts, connection).catch(failed);
  await Promise.all(rooms.map((one) => backInto(parts, connection, one).catch(failed)));
}

function failed(error: unknown): [] {
  console.warn("A group could not be had back:", error);
  return [];
}

function backInto(parts: RelayParts, connection: Connection, remembered: RememberedRoom) {
  const { follows, outbox, settings } = parts;
  const { room, position: since, connection: before } = remembered;
  const wanted = { topic: parseTopic(room), since, most: settings.limits.groupsPerConnection };
  return follows.catchUp(connection, wanted, ({ entries, position }) => {
    for (const entry of entries)
      if (!entry.except?.includes(before))
        outbox.send(connection, messageOf(room, position.epoch, entry));
  });
}

/** Not where the client said goodbye; where it was away already, what it missed began then. */
export function rememberGroups({ follows, remembered }: RelayParts, ended: Connection): void {
  if (ended.saidGoodbye) remembered?.forget(ended);
  else if (ended.socket) remembered?.keep(ended, follows.roomsOf(ended));
  remembered?.end(ended);
}

/** Its socket broke, and what is said from now on it may never hear on this connection. */
export function rememberAway({ follows, remembered }: RelayParts, away: Connection): void {
  remembered?.keep(away, follows.roomsOf(away));
}

/** A client has one connection: one that is half open here, or forgotten in another tab, makes way for the newest. */
function replaceOld({ connections }: RelayParts, newest: Connection): void {
  const { client } = newest.attached;
  for (const old of connections.all)
    if (old !== newest && old.user.id === newest.user.id && old.attached.client === client)
      connections.close(old, CLOSE.replaced);
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
export async function recallHere(
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
