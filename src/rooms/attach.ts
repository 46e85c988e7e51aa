// How a connection begins: what the worker hands over about an authenticated client, and the first frames.

import { HubError } from "../model/errors.ts";
import type { Outgoing } from "../model/message.ts";
import { connectionId } from "./address.ts";
import { formatPosition, type Position } from "../model/position.ts";
import { formatTopic } from "../model/topic.ts";
import type { User } from "../model/user.ts";
import { jsonRpc } from "../protocols/json-rpc.ts";
import type { Connection } from "./connection.ts";
import { cut } from "./fan-out.ts";
import type { Parts } from "./parts.ts";
import { messageOf } from "./publisher.ts";
import type { HistoryView } from "./receiver.ts";

/** What the edge knows of a client that may enter. Objects trust it: only our own worker reaches them. */
export interface Arrival {
  readonly user: User;
  /** Where the client stands in the room's log. */
  readonly since?: Position;
  /** The connection it had before: what that one was not to hear, this one is not, either. */
  readonly previous?: string;
}

const HEADER = "x-dormouse-arrival";

/** A request for an object: nothing of the client's own headers but the upgrade. */
export function arrivalRequest(arrival: Arrival): Request {
  const bytes = new TextEncoder().encode(JSON.stringify(arrival));
  const headers = { upgrade: "websocket", [HEADER]: bytes.toBase64() };
  return new Request("https://room/", { headers });
}

export function arrivalOf(request: Request): Arrival {
  const header = request.headers.get(HEADER);
  if (!header) throw new HubError("unauthorized", "Only the endpoint's worker may connect here.");
  return JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(header))) as Arrival;
}

/** Accepts the socket, says where the client stands, and replays what it missed. Throws `too_many_connections`. */
export function attach(
  parts: Parts,
  socket: WebSocket,
  { user, since, previous }: Arrival,
  now: number,
): Connection {
  checkRoom(parts, user);
  const { address, connections, log, roster, settings } = parts;
  const id = connectionId(address.topic, crypto.getRandomValues(new Uint8Array(16)));
  const attached = {
    id,
    protocol: jsonRpc.name,
    user,
    connectedAt: now,
    heardAt: now,
    openCalls: [],
  };
  const missed = since ? missedSince(parts, since, now) : nothing(log.position);
  const connection = connections.accept(socket, attached);
  roster.own(user.id, 1);
  connections.send(connection, framesOf(parts, connection, missed, previous));
  parts.agenda.arm(Math.min(user.expiresAt, now + settings.sweepSeconds * 1000));
  return connection;
}

function checkRoom({ connections, roster, settings: { limits } }: Parts, user: User): void {
  if (connections.all.size >= limits.connectionsPerObject)
    throw new HubError("too_many_connections", "This room is full.");
  if (roster.ownCount(user.id) >= limits.connectionsPerUser)
    throw new HubError(
      "too_many_connections",
      `A user has ${limits.connectionsPerUser} connections here at most.`,
    );
}

/** More than may wait for a slow reader is no replay: it would close the socket, and be asked for again. */
function missedSince(
  { log, settings: { limits } }: Parts,
  since: Position,
  now: number,
): HistoryView {
  const missed = log.since(since, now, limits.recovery);
  const size = missed.entries.reduce((sum, { params }) => sum + params.length, 0);
  return size > limits.queuedBytes ? nothing(missed.position) : missed;
}

const nothing = (position: Position): HistoryView => ({ entries: [], position, recovered: false });

/** `$/connected` stands alone in the first frame; the replay follows in as few as it fits. */
function framesOf(
  parts: Parts,
  connection: Connection,
  missed: HistoryView,
  previous?: string,
): string[] {
  const { protocol } = connection;
  const room = formatTopic(parts.address.topic);
  const heard = missed.entries.filter(({ except }) => !previous || !except?.includes(previous));
  const replay = heard.map((entry) =>
    protocol.encode(messageOf(room, missed.position.epoch, entry)),
  );
  const first = protocol.encode(connected(parts, connection, missed, heard.length));
  return [first, ...cut(protocol, replay)];
}

function connected(
  parts: Parts,
  { id, user }: Connection,
  { position, recovered }: HistoryView,
  replayed: number,
): Outgoing {
  const { address, roster, settings } = parts;
  const params = {
    connectionId: id,
    userId: user.id,
    room: formatTopic(address.topic),
    position: formatPosition(position),
    recovered,
    replayed,
    present: roster.view({}),
    durability: settings.durability,
    pingSeconds: settings.pingSeconds,
  };
  return { type: "control", name: "connected", params };
}
