// Rejoins the groups of a client that returns on a new connection (`rememberGroups`). This relay remembers them, or the
// relay of another level for the client's key, because relays fill up and empty again.

import { hashOf } from "../../model/text-hash.ts";
import { CLOSE, publicError } from "../../model/errors.ts";
import { logWarning } from "../../model/logger.ts";
import { writtenTopic } from "../../model/topic.ts";
import { limitsOf } from "../connection/connection-limits.ts";
import type { Connection } from "../connection/connection.ts";
import { belong, sendMissed } from "../links/state-joins.ts";
import type { Cause } from "../links/follow-tables.ts";
import { LINK_WAIT_MS } from "../object/link-wait.ts";
import { settledWithin } from "../platform/loop-timing.ts";
import { objectName } from "../rpc/object-names.ts";
import { clientKey, LEVELS, parseRelayName, relayName } from "../rpc/relay-levels.ts";
import type { RelayRpc, RememberedRoom } from "../rpc/relay-rpc.ts";
import type { RelayParts } from "./relay-parts.ts";
import { tokenRoomsOf } from "./remembered-groups.ts";

/**
 * Puts the connection into the groups of its client's earlier connection, and replays missed entries. Resolves after
 * that, or when a room elsewhere takes too long. Does nothing for a client that does not name itself.
 */
export async function rejoinGroups(parts: RelayParts, connection: Connection): Promise<void> {
  const { connections, remembered } = parts;
  const { client } = connection.attached;
  if (client === undefined || !remembered) return;
  const named = { userId: connection.user.id, client };
  replaceOld(parts, named, connection);
  remembered.addClient(connection);
  const rooms = await recall(parts, named).catch(noGroups);
  // The rows stay until the rooms are rejoined, so that a crash meanwhile leaves them for the next connection.
  remembered.putBack(connection, rooms);
  if (!connections.all.has(connection)) return;
  await settledWithin(
    LINK_WAIT_MS,
    rooms.map((room) => rejoin(parts, connection, { room, pauses: RETRIES_MS })),
  );
}

function noGroups(error: unknown): [] {
  logWarning("groups_unknown", { error });
  return [];
}

/** False for a room that the earlier token named and the connection's token does not. */
const admits = ({ user }: Connection, { room, granted }: RememberedRoom): boolean =>
  !granted || tokenRoomsOf(user).includes(room);

const causeOf = ({ granted }: RememberedRoom): Cause => (granted ? "token" : "hub");

/** Pauses before further attempts, in milliseconds. After the last failure the connection joins without a replay. */
const RETRIES_MS: readonly number[] = [100, 1_000];

interface RejoinAttempt {
  readonly room: RememberedRoom;
  /** Milliseconds before each further attempt. */
  readonly pauses: readonly number[];
}

async function rejoin(
  parts: RelayParts,
  connection: Connection,
  { room, pauses: [pause, ...pauses] }: RejoinAttempt,
): Promise<void> {
  const { connections, remembered } = parts;
  if (!remembered?.has(connection, room.room)) return;
  if (!admits(connection, room)) return remembered.drop(connection, room.room);
  try {
    await joinWithReplay(parts, connection, room);
  } catch (error) {
    if (!connections.all.has(connection)) return;
    if (publicError(error).code === "cancelled") return remembered.drop(connection, room.room);
    logWarning("group_unreached", { room: room.room, error });
    if (pause === undefined) {
      remembered.drop(connection, room.room);
      const again = { topic: writtenTopic(room.room), cause: causeOf(room) };
      return belong(parts, connection, again).catch(() => {});
    }
    await scheduler.wait(pause);
    return rejoin(parts, connection, { room, pauses });
  }
}

/**
 * Messages that excluded the client's earlier connection are not replayed. A state is sent as a snapshot, because a
 * change may be lost in the broken socket, and the client may be a page that was loaded again.
 */
function joinWithReplay(parts: RelayParts, connection: Connection, remembered: RememberedRoom) {
  const { followed, outbox, settings } = parts;
  const { room, position: since, connection: before } = remembered;
  const most = limitsOf(connection, settings.limits).groupsPerConnection;
  const more = { most, cause: causeOf(remembered), wantsState: true };
  const request = { topic: writtenTopic(room), since, ...more };
  return followed.joinWithReplay(connection, request, (all) => {
    const entries = all.entries.filter(({ except }) => !except?.includes(before));
    sendMissed(parts, connection, { room, missed: { ...all, entries } });
    // Its position is saved before the frames are written: a crash then repeats nothing (output gate).
    parts.remembered?.rejoined(connection, room);
    outbox.flush();
  });
}

/** Keeps frames and groups of a connection that has ended, for its client's return. Rejects if a write fails. */
export async function keepForReturn(parts: RelayParts, ended: Connection): Promise<void> {
  parts.lastFrames.keep(ended, Date.now());
  parts.resumables.end(ended);
  rememberGroups(parts, ended);
}

/**
 * Remembers the groups of a connection that has ended, unless it was closed for good. If its client was away already,
 * the positions of that time stay, because the client has missed all messages since.
 */
function rememberGroups({ followed, remembered }: RelayParts, ended: Connection): void {
  const isForGood = ended.stage.name === "ended" && ended.stage.isForGood;
  if (isForGood) remembered?.forget(ended);
  else if (ended.socket) remembered?.keep(ended, followed.causesOf(ended));
  remembered?.removeClient(ended);
}

/** A client that names itself, among those of its user. */
interface NamedClient {
  readonly userId: string;
  readonly client: string;
}

/** Closes older connections of the client at this relay: a client that names itself has one connection, the newest. */
export function replaceOld(
  { connections }: Pick<RelayParts, "connections">,
  { userId, client }: NamedClient,
  newest?: Connection,
): void {
  for (const old of [...connections.byUser.named(userId)])
    if (old !== newest && old.user.id === userId && old.attached.client === client)
      connections.close(old, CLOSE.replaced);
}

/** The remembered rooms of the client, from the relay of any level. */
async function recall(parts: RelayParts, named: NamedClient): Promise<readonly RememberedRoom[]> {
  const upward = await recallLocally(parts, named, true);
  if (upward.length > 0) return upward;
  const { level } = parseRelayName(parts.address.relay)!;
  for (let below = level - 1; below >= 0; below--) {
    // oxlint-disable-next-line no-await-in-loop -- the first level that remembers ends the search
    const rooms = await relayOn(parts, named, below).recall(named.userId, named.client, false);
    if (rooms.length > 0) return rooms;
  }
  return [];
}

/** `upward`: also from higher levels, if this relay was full within the last hour and clients went there. */
export async function recallLocally(
  parts: RelayParts,
  { userId, client }: NamedClient,
  upward: boolean,
): Promise<readonly RememberedRoom[]> {
  const here = parts.remembered?.take(userId, client) ?? [];
  const above = parseRelayName(parts.address.relay)!.level + 1;
  if (here.length > 0 || !upward || above === LEVELS || !parts.seats.wasFullLately) return here;
  return relayOn(parts, { userId, client }, above).recall(userId, client, true);
}

/** The relay of another level to which the client's key is mapped. */
function relayOn(parts: RelayParts, { userId, client }: NamedClient, level: number): RelayRpc {
  const { address, stubs } = parts;
  const key = hashOf(clientKey(userId, client));
  const name = relayName(parseRelayName(address.relay)!, level, key);
  return stubs(objectName({ ...address, relay: name })) as unknown as RelayRpc;
}
