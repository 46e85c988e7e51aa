// A room over one WebSocket: `/hubs/{hub}/{groups·orders·users}/{name}`, and the same at partysocket's own address,
// `/parties/{hub}/{kind}:{name}`. Everything that can be refused is refused here, before any object is touched.

import { HubError } from "../model/errors.ts";
import { formatTopic, isRoomKind, roomTopic, type Topic } from "../model/topic.ts";
import { parsePosition } from "../model/position.ts";
import type { User } from "../model/user.ts";
import { authenticate, type AuthEnv } from "../auth/authenticate.ts";
import { mayEnter, mayReadHistory, type RoomRules } from "../dispatch/policies.ts";
import type { Hubs, ServedHub } from "../dispatch/tables.ts";
import { jsonRpc } from "../protocols/json-rpc.ts";
import { objectName } from "../rooms/address.ts";
import { enter, type Arrival } from "../rooms/attach.ts";
import type { ObjectEnv } from "../rooms/peers.ts";
import { atRelay, type Wanted } from "./relays.ts";

export interface RoomPath {
  readonly hub: string;
  readonly kind: string;
  readonly name: string;
}

const PLURALS: ReadonlyMap<string, string> = new Map([
  ["groups", "group"],
  ["orders", "order"],
  ["users", "user"],
]);

/** Reads the path of a route of ours. Throws `invalid_name` where it is not percent-encoded UTF-8. */
export function roomPathOf(pathname: string): RoomPath {
  const [, root, hub = "", third = "", name = ""] = pathname.split("/");
  if (root === "parties") return partyOf(decode(hub), decode(third));
  return { hub: decode(hub), kind: PLURALS.get(third) ?? "", name: decode(name) };
}

function partyOf(hub: string, room: string): RoomPath {
  const colon = room.indexOf(":");
  return { hub, kind: room.slice(0, Math.max(colon, 0)), name: room.slice(colon + 1) };
}

/** Percent-decoded once, never twice. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new HubError("invalid_name", "The path is not percent-encoded UTF-8.");
  }
}

/** Order: configuration, origin, token; path; hub; name; right to enter; upgrade. Throws what each of them throws. */
export async function enterRoom(
  request: Request,
  hubs: Hubs,
  env: AuthEnv & ObjectEnv,
): Promise<Response> {
  const user = await authenticate(request, env);
  const { pathname, searchParams } = new URL(request.url);
  const path = roomPathOf(pathname);
  const served = hubs.get(path.hub.toLowerCase());
  if (!served) throw new HubError("hub_not_found", "There is no such hub.");
  const topic = roomTopic(path.kind, path.name);
  await admit(user, served, topic);
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
    throw new HubError("upgrade_required", "Rooms are entered by WebSocket.");
  const reads = await mayReadHistory(callOf(user, served, topic), rulesOf(served, topic));
  const arrival = arrivalOf(searchParams, user, reads);
  const domain = { tenant: user.tenant, hub: served.name };
  const room = env.ROOMS.getByName(objectName({ ...domain, topic }));
  const response = await enter(room, arrival);
  if (codeOf(response) !== "room_full") return accepted(request, response);
  const { continent } = (request.cf ?? {}) as { continent?: string };
  const wanted = { domain, continent, room: formatTopic(topic) };
  return accepted(request, await overflow(env, wanted, arrival));
}

const codeOf = ({ headers }: Response): string | null => headers.get("x-dormouse-error");

/** A room that is full sends further sockets to relays of its own. */
const overflow = (env: ObjectEnv, wanted: Wanted & { room: string }, arrival: Arrival) =>
  atRelay(env, wanted, async (relay) => {
    const { room } = wanted;
    const response = await enter(relay, { ...arrival, kind: "room", room });
    return codeOf(response) === "relay_full" ? undefined : response;
  });

/** A browser that asked for subprotocols closes the socket unless it is told one of them; nobody else is told any. */
function accepted(request: Request, response: Response): Response {
  const offered = request.headers.get("sec-websocket-protocol")?.split(",") ?? [];
  if (!response.webSocket || !offered.some((name) => name.trim() === jsonRpc.name)) return response;
  const headers = { "sec-websocket-protocol": jsonRpc.name };
  return new Response(null, { status: 101, webSocket: response.webSocket, headers });
}

async function admit(user: User, served: ServedHub, room: Topic): Promise<void> {
  if (!(await mayEnter(callOf(user, served, room), rulesOf(served, room))))
    throw new HubError("forbidden", "This room is not for this user.");
}

const callOf = (user: User, { name }: ServedHub, room: Topic) => ({
  hub: name,
  user,
  args: [],
  room,
});

const rulesOf = ({ hub }: ServedHub, { kind }: Topic): RoomRules | undefined =>
  isRoomKind(kind) ? hub.settings.rooms?.[kind] : undefined;

/** A replay is history: who may not read it is told where the room stands, and that nothing was recovered. */
function arrivalOf(query: URLSearchParams, user: User, readsHistory: boolean): Arrival {
  const since = query.get("since");
  const previous = query.get("connection");
  return {
    user,
    ...(since && readsHistory && { since: parsePosition(since) }),
    ...(previous && { previous: previous.slice(0, MAX_CONNECTION_ID) }),
  };
}

/** An id, a kind and a name: longer is none of ours, and matches nothing once it is cut. */
const MAX_CONNECTION_ID = 200;
