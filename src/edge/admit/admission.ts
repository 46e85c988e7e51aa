// Who may enter a room, and how the room's object is asked to let them in. Everything that can be refused is refused
// here, before any object is touched.

import { authenticate, type AuthEnv } from "../../auth/authenticate.ts";
import { callAt, mayEnter, mayReadHistory, rulesAt } from "../../dispatch/define/policies.ts";
import type { Hubs, ServedHub } from "../../dispatch/define/hub-tables.ts";
import { HubError } from "../../model/errors.ts";
import { parsePosition } from "../../model/position.ts";
import { formatTopic, roomTopic, type Topic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import { jsonRpc } from "../../protocols/json-rpc-codec.ts";
import { objectName } from "../../rooms/rpc/object-names.ts";
import { refusalCodeOf, handOver, type RoomArrival } from "../../rooms/rpc/arrival.ts";
import type { ObjectEnv } from "../../rooms/rpc/object-env.ts";
import { asked } from "./connect-webhook.ts";
import type { ConnectRateEnv } from "./connect-rate.ts";
import { enterAtRelay } from "./relay-choice.ts";
import { roomPathOf } from "./room-paths.ts";

export type Env = AuthEnv & ObjectEnv & ConnectRateEnv;

/** A client that may enter a room. */
export interface Entrant {
  readonly request: Request;
  readonly user: User;
  readonly served: ServedHub;
  readonly topic: Topic;
}

/** The rooms that a request is for, as topics, where the path names this one. */
export type RoomsOf = (own: Topic) => readonly string[];

/** Order: configuration, origin, token; path; hub; names; webhook; right to enter. Throws what each of them throws. */
export async function admitted(
  request: Request,
  hubs: Hubs,
  env: Env,
  roomsOf: RoomsOf,
): Promise<Entrant> {
  const known = await authenticate(request, env);
  const path = roomPathOf(new URL(request.url).pathname);
  const served = hubs.get(path.hub.toLowerCase());
  if (!served) throw new HubError("hub_not_found", "There is no such hub.");
  const topic = roomTopic(path.kind, path.name);
  const rooms = roomsOf(topic);
  const user = await asked({ request, user: known, hub: served.name, room: topic, rooms }, env);
  return admit({ request, user, served, topic });
}

/** The same client, into this room. Throws `forbidden`. */
export async function admit(entrant: Entrant): Promise<Entrant> {
  if (await mayEnter(...judged(entrant))) return entrant;
  throw new HubError("forbidden", "This room is not for this user.");
}

const judged = ({ served, user, topic }: Entrant) =>
  [callAt(served, user, topic), rulesAt(served, topic)] as const;

/** What a client says of itself. */
export interface Claim {
  /** Where it stands, as text. */
  readonly since?: string | undefined;
  readonly previous?: string | undefined;
}

/** The room's answer: an upgrade, or why not. Throws `invalid_position`, and what relays throw. */
export async function open(env: ObjectEnv, entrant: Entrant, claim: Claim): Promise<Response> {
  const { user, served, topic } = entrant;
  const arrival = await arrivalOf(entrant, claim);
  const domain = { tenant: user.tenant, hub: served.name };
  const response = await handOver(env.ROOMS.getByName(objectName({ ...domain, topic })), arrival);
  return refusalCodeOf(response) === "room_full" ? overflow(env, entrant, arrival) : response;
}

/** A room that is full sends further sockets to relays of its own. */
function overflow(env: ObjectEnv, { request, user, served, topic }: Entrant, arrival: RoomArrival) {
  const { continent } = (request.cf ?? {}) as { continent?: string };
  const room = formatTopic(topic);
  const domain = { tenant: user.tenant, hub: served.name };
  return enterAtRelay(env, { domain, continent, room }, { ...arrival, kind: "room", room });
}

/** A replay is history: who may not read it is told where the room stands, and that nothing was recovered. */
async function arrivalOf(entrant: Entrant, { since, previous }: Claim): Promise<RoomArrival> {
  const position = since ? parsePosition(since) : undefined;
  const reads = position && (await mayReadHistory(...judged(entrant)));
  return {
    user: entrant.user,
    ...(position && reads && { since: position }),
    ...(previous && { previous: previous.slice(0, MAX_CONNECTION_ID) }),
  };
}

/** An id, a kind and a name: longer is none of ours, and matches nothing once it is cut. */
const MAX_CONNECTION_ID = 200;

/** A browser that asked for subprotocols closes the socket unless it is told one of them; nobody else is told any. */
export function accepted(request: Request, response: Response): Response {
  const offered = request.headers.get("sec-websocket-protocol")?.split(",") ?? [];
  if (!response.webSocket || !offered.some((name) => name.trim() === jsonRpc.name)) return response;
  const headers = { "sec-websocket-protocol": jsonRpc.name };
  return new Response(null, { status: 101, webSocket: response.webSocket, headers });
}
