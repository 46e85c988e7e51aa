// A room over one WebSocket, or as a stream of events.

import type { Hubs } from "../../dispatch/define/hub-tables.ts";
import { HubError } from "../../model/errors.ts";
import { parsePosition } from "../../model/position.ts";
import { formatTopic, parseTopic, type Topic } from "../../model/topic.ts";
import { accepted, admit, admitted, open, type Entrant, type Env } from "../admit/admission.ts";
import { socketIn } from "../stream/bridge.ts";
import { checkConnectRate } from "../admit/connect-rate.ts";
import { eventStream, parsePositions, type Source } from "../sse/event-streams.ts";

/** Throws what admission throws, and `upgrade_required`. */
export async function enterRoom(request: Request, hubs: Hubs, env: Env): Promise<Response> {
  const isSocket = request.headers.get("upgrade")?.toLowerCase() === "websocket";
  const roomsOf = (own: Topic) => (isSocket ? [formatTopic(own)] : roomsIn(request, own));
  const entrant = await admitted(request, hubs, env, roomsOf);
  await checkConnectRate(request, entrant.user, env);
  if (isSocket) return socket(entrant, env);
  if (request.headers.get("accept")?.includes("text/event-stream")) return events(entrant, env);
  throw new HubError("upgrade_required", "Rooms are entered by WebSocket, or read as events.");
}

async function socket(entrant: Entrant, env: Env): Promise<Response> {
  const { searchParams: query } = new URL(entrant.request.url);
  const claim = {
    since: query.get("since") ?? undefined,
    previous: query.get("connection") ?? undefined,
  };
  return accepted(entrant.request, await open(env, entrant, claim));
}

/** Rooms of one stream: each is a socket of the worker's. */
export const ROOMS_AT_MOST = 20;

/** The room of the path, and those of the query; after `Last-Event-ID`, where there is one. */
async function events(entrant: Entrant, env: Env): Promise<Response> {
  const { searchParams: query } = new URL(entrant.request.url);
  const rooms = roomsIn(entrant.request, entrant.topic);
  const stands = standsOf(entrant.request, query, rooms);
  const entrants = await Promise.all(
    rooms.map((room) => admit({ ...entrant, topic: parseTopic(room) })),
  );
  const sources = entrants.map((one) => sourceOf(one, stands.get(formatTopic(one.topic)), env));
  return eventStream(sources, entrant.request);
}

function roomsIn({ url }: Request, own: Topic): string[] {
  const names = namesIn(new URL(url).searchParams).map((name) => formatTopic(parseTopic(name)));
  const rooms = [...new Set([formatTopic(own), ...names])];
  if (rooms.length <= ROOMS_AT_MOST) return rooms;
  throw new HubError("too_many_groups", `A stream has ${ROOMS_AT_MOST} rooms at most.`);
}

/** `?rooms=` has several, with commas between; a name with a comma of its own is a `?room=`. */
const namesIn = (query: URLSearchParams): string[] => [
  ...(query.get("rooms") ?? "").split(",").filter((name) => name !== ""),
  ...query.getAll("room"),
];

/** Browsers repeat the last id in a header; the first time a page says it in the query. Throws `invalid_position`. */
function standsOf(
  { headers }: Request,
  query: URLSearchParams,
  rooms: readonly string[],
): ReadonlyMap<string, string> {
  const last = headers.get("last-event-id") ?? query.get("lastEventId") ?? "";
  if (last === "") return new Map();
  const stands = last.includes("=") ? parsePositions(last) : new Map([[rooms[0]!, last]]);
  for (const position of stands.values()) parsePosition(position);
  return stands;
}

/** A room as one of those that a stream has. */
export function sourceOf(entrant: Entrant, since: string | undefined, env: Env): Source {
  return {
    room: formatTopic(entrant.topic),
    since,
    open: async (last) => socketIn(await open(env, entrant, { since: last })),
  };
}
