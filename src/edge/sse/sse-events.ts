// Records of a room as Server-Sent Events (WHATWG HTML §9.2): `event:` is the client method that the hub invokes,
// `data:` its arguments, `id:` the client's position, which browsers send back as `Last-Event-ID`.

import { HubError } from "../../model/errors.ts";
import { canonicalTopic } from "../../model/topic.ts";
import { toResultJson } from "../../protocols/json.ts";
import {
  isConnected,
  isOfAnotherRoom,
  isReset,
  stateChangeIn,
  type ConnectedParams,
} from "../stream/room-record.ts";
import type { RoomDelivery } from "../stream/room-stream.ts";

/** How records become events. */
export interface EventFormat {
  /** The name of the encoding, different for each that yields other bytes: streams of one name share encoded frames. */
  readonly encoding: string;
  /** Returns undefined for a record that is not shown as an event. */
  eventOf(delivery: RoomDelivery): ServerSentEvent | undefined;
}

export interface ServerSentEvent {
  readonly name: string;
  /** Any JSON value. */
  readonly data: unknown;
}

/**
 * The event of a record; undefined for a record that is not shown as one. The protocol's own records lose the `$/` of
 * their names, which may then equal a client method's: hubs should not name a method `presence`, `reset` or `state`.
 */
export function eventOf({ room, record, before }: RoomDelivery): ServerSentEvent | undefined {
  const { method = "", params } = record;
  // An event does not name its room, so that presence of another room would look like presence of this one.
  if (method === "$/presence" && isOfAnotherRoom(room, record)) return undefined;
  if (isReset(record)) return { name: "reset", data: { room: record.room } };
  const change = stateChangeIn(record);
  // Also for a change of the user's own room, whose events have no id here.
  if (change) {
    const { room: of = room, position } = record;
    return { name: "state", data: { room: of, position, ...change } };
  }
  const name = isConnected(record)
    ? startName(params as ConnectedParams, before)
    : eventName(method);
  return { name, data: params };
}

/** The name of a room's first event: it shows a client that resumes whether messages are lost for good. */
function startName({ recovered }: ConnectedParams, before: string | undefined): string {
  if (before === undefined) return "connected";
  return recovered ? "recovered" : "reset";
}

/** A name without line ends, because those would end the field. */
const eventName = (method: string): string =>
  method.replace(/^\$\//, "").replaceAll(/[\r\n]/g, " ");

/** The event as text; without an id, the browser keeps the last id. JSON text of one value has no line ends. */
export const eventText = ({ name, data }: ServerSentEvent, id: string | undefined): string =>
  `event: ${name}\n${id === undefined ? "" : `id: ${id}\n`}data: ${toResultJson(data)}\n\n`;

/** The id of a stream of several rooms: `group%3Aa=epoch:1;order%3A42=epoch:7`. */
export const formatPositions = (positions: ReadonlyMap<string, string>): string =>
  [...positions].map(([room, position]) => `${encodeURIComponent(room)}=${position}`).join(";");

/** Reads what `formatPositions` wrote, by topic; positions are not checked. Throws `invalid_position`. */
export function parsePositions(text: string): ReadonlyMap<string, string> {
  try {
    return new Map(
      text.split(";").map((part) => {
        const equals = part.lastIndexOf("=");
        const room = decodeURIComponent(part.slice(0, Math.max(equals, 0)));
        return [canonicalTopic(room), part.slice(equals + 1)];
      }),
    );
  } catch {
    throw new HubError("invalid_position", "An event's id is room=epoch:offset, separated by ;.");
  }
}
