// The handler of event streams: `GET /hubs/{hub}/{kind}/{name}` with `Accept: text/event-stream`, for the room of the
// path and further rooms of the query.

import { HubError } from "../../model/errors.ts";
import { urlOf } from "../../model/request-url.ts";
import {
  canonicalTopic,
  formatTopic,
  parsePosition,
  parseTopic,
  type Topic,
} from "../../model/topic.ts";
import { admitToRoom, authorize } from "../admit/admission.ts";
import { wantsEventStream } from "../admit/request-target.ts";
import { ROOMS_AT_MOST, sourceOf, type StreamServing } from "../stream/room-sources.ts";
import { eventStream, lastEventId } from "./event-streams.ts";
import { parsePositions } from "./sse-events.ts";

/**
 * Admits the client to every room before the first is opened. Throws what admission throws, `rate_limited`,
 * `upgrade_required` for a request that wants neither events nor a WebSocket, and the refusals of rooms.
 */
export async function readRooms(request: Request, serving: StreamServing): Promise<Response> {
  const entrant = await admitToRoom(request, serving, (own) => roomsIn(request, own));
  if (!wantsEventStream(request))
    throw new HubError("upgrade_required", "Connect to a room by WebSocket, or read its events.");
  const rooms = roomsIn(request, entrant.topic);
  const positions = resumePositions(request, rooms);
  const entrants = await Promise.all(
    rooms.map((room) => authorize({ ...entrant, topic: parseTopic(room) })),
  );
  const sources = entrants.map((one) => sourceOf(one, positions.get(formatTopic(one.topic))));
  const { limits } = entrant.served.settings;
  return eventStream({ sources, frames: serving.frames, limits }, request);
}

/** The distinct topics of a request, the path's first. Throws what parsing throws, or `too_many_groups`. */
function roomsIn(request: Request, own: Topic): string[] {
  const names = namesIn(urlOf(request).searchParams).map(canonicalTopic);
  const rooms = [...new Set([formatTopic(own), ...names])];
  if (rooms.length <= ROOMS_AT_MOST) return rooms;
  throw new HubError("too_many_groups", `A stream has ${ROOMS_AT_MOST} rooms at most.`);
}

/**
 * `?rooms=` is a list with commas; a name that contains a comma must be a `?room=`. Both may be repeated. Returns one
 * list of all, in this order.
 */
const namesIn = (query: URLSearchParams): string[] => [
  ...query.getAll("rooms").flatMap((list) => list.split(",").filter((name) => name !== "")),
  ...query.getAll("room"),
];

/**
 * The positions to resume from, by room. A page that starts a stream can give them only in the query; browsers that
 * reconnect send the last event's id in a header. The header counts first, because it is newer. Throws
 * `invalid_position`.
 */
function resumePositions(request: Request, rooms: readonly string[]): ReadonlyMap<string, string> {
  const id = lastEventId(request);
  if (id === "") return new Map();
  const positions = id.includes("=") ? parsePositions(id) : new Map([[rooms[0]!, id]]);
  for (const position of positions.values()) parsePosition(position);
  return positions;
}
