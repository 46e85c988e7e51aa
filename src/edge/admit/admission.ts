// Admission of a client: its user, the rate of connections, the connect webhook, and the rules of the room; then the
// request to a room's object to accept its socket. Everything that can be refused here is refused before any object is
// reached, because waking an object costs more than the refusal.

import { authenticate, guestOf, readToken } from "../../auth/authenticate.ts";
import { callAt, mayEnter, mayReadHistory, rulesAt } from "../../dispatch/define/policies.ts";
import type { ServedHub } from "../../dispatch/define/hub-tables.ts";
import { policyRuntime } from "../../dispatch/define/runtime.ts";
import { forbidden, ruleText } from "../../dispatch/define/policy-names.ts";
import { BINDING_SECONDS, rateLimited } from "../../model/retry-after.ts";
import { formatTopic, parsePosition, roomTopic, type Topic } from "../../model/topic.ts";
import { traceIn } from "../../model/trace.ts";
import { clientNetwork } from "../../model/client-network.ts";
import { accountOf, applyGrant, type User } from "../../model/user.ts";
import { objectName } from "../../rooms/rpc/object-names.ts";
import { objectsOf } from "../../rooms/rpc/place.ts";
import {
  refusalCodeOf,
  handOver,
  type ObjectFetch,
  type Continuation,
  type RoomArrival,
} from "../../rooms/rpc/arrival.ts";
import { clientVersionOf } from "../answer/client-version.ts";
import { checkSetup } from "../../setup/check-setup.ts";
import { readWebhooks } from "../../webhooks/webhook-config.ts";
import { askConnectWebhook, type ConnectAttempt } from "./connect-webhook.ts";
import { continentOf } from "./relay-choice.ts";
import { guestId } from "./guests.ts";
import { domainOf, pathBelow, requestedHub, roomPathOf, servedHub } from "./request-target.ts";
import type { ConnectRateEnv, Env, Serving } from "./serving.ts";

/** A client that was admitted to a room. */
export interface Entrant {
  readonly request: Request;
  readonly user: User;
  readonly served: ServedHub;
  readonly topic: Topic;
  readonly serving: Serving;
}

/** Returns all rooms of a request, as topics, for the connect webhook; `own` is the room of the request's path. */
type RoomsOf = (own: Topic) => readonly string[];

/**
 * Admits a request to the room of its path. The order of the checks is fixed, and each throws its own error:
 * configuration, origin, token; path; hub; names of rooms; rate; webhook; the hub's rules. If the request names several
 * rooms, only the room of the path is authorized here: the caller must call `authorize` for the others.
 */
export async function admitToRoom(
  request: Request,
  serving: Serving,
  roomsOf: RoomsOf,
): Promise<Entrant> {
  const hub = requestedHub(request, serving);
  const user = await userAt(request, { hub }, serving);
  const path = roomPathOf(pathBelow(request, serving.prefix));
  const served = servedHub(serving.hubs, hub);
  const topic = roomTopic(path.kind, path.name);
  return admitEntrant({ request, user, served, topic, serving }, roomsOf(topic));
}

/** The names in a request. */
interface Named {
  readonly hub: string;
  /**
   * The connection token of a further request of a connection: a guest's id is taken from it. The caller must pass the
   * token to the relay, and do nothing before the relay has found it genuine.
   */
  readonly connectionToken?: string | undefined;
}

/**
 * The user of a request: the token's user, or a guest if there is no token and the hub admits guests (`anonymous`).
 * Configuration and origin are checked in both cases. `hub` is the name in the request: without a token, a hub that
 * does not exist is refused like one that admits no guests. Throws what authentication throws.
 */
export async function userAt(
  request: Request,
  { hub, connectionToken = "" }: Named,
  serving: Serving,
): Promise<User> {
  const { hubs, env } = serving;
  checkSetup(env, request.url);
  const isGuest = hubs.get(hub.toLowerCase())?.hub.settings.anonymous && readToken(request) === "";
  return isGuest
    ? guestOf(request, env, guestId(connectionToken))
    : authenticate(request, env, serving);
}

/**
 * Checks the rate of connections, and then calls the connect webhook: in this order, so that a client in a loop does
 * not reach the application. Returns the user with the webhook's grant, or unchanged if no webhook is configured.
 * Called once for each connection: the application may rely on that. Throws `rate_limited`, `misconfigured`,
 * `refused_by_webhook` or `webhook_unavailable`.
 */
export async function admitAttempt(attempt: ConnectAttempt, env: Env): Promise<User> {
  await checkConnectRate(attempt, env);
  return grantTo(attempt, env);
}

async function grantTo(attempt: ConnectAttempt, env: Env): Promise<User> {
  const { connect } = env.WEBHOOK_CONNECT_URL ? readWebhooks(env) : {};
  if (!connect) return attempt.user;
  return applyGrant(attempt.user, await askConnectWebhook(attempt, connect, env));
}

/**
 * Does what `admitAttempt` does, and then checks the hub's rules for the entrant's room. `rooms` are all rooms of the
 * request, as topics.
 */
export async function admitEntrant(entrant: Entrant, rooms: readonly string[]): Promise<Entrant> {
  await checkConnectRate(entrant, entrant.serving.env);
  return admitCounted(entrant, rooms);
}

/** The same for an entrant whose rate is checked: where code of the application runs after that and before this. */
export async function admitCounted(entrant: Entrant, rooms: readonly string[]): Promise<Entrant> {
  const { request, user, served, topic: room, serving } = entrant;
  const attempt = { request, user, hub: served.name, room, rooms };
  return authorize({ ...entrant, user: await grantTo(attempt, serving.env) });
}

/** Checks by the hub's rules, and the token's capabilities, that the user may enter the room. Throws `forbidden`. */
export async function authorize(entrant: Entrant): Promise<Entrant> {
  if (await mayEnter(...policyInput(entrant))) return entrant;
  const { served, user, topic } = entrant;
  const expected = () => ruleText(topic.kind, rulesAt(served, topic));
  throw forbidden("This room is not for this user.", { expected, user, room: formatTopic(topic) });
}

const policyInput = ({ served, user, topic: room, serving }: Entrant) => {
  const subject = { user, room, ...policyRuntime(serving, served) };
  return [callAt(served, subject), rulesAt(served, room)] as const;
};

/**
 * Counts a new connection by user and by network with the Rate Limiting binding, if there is one: near the client, and
 * approximately. The user's account (rooms/account) counts exactly, later. Both keys are counted even if the first is
 * over its limit, so that a network which changes its user is counted all the same. Throws `rate_limited`.
 */
export async function checkConnectRate(
  { request, user }: Pick<ConnectAttempt, "request" | "user">,
  { CONNECT_LIMITER: limiter }: ConnectRateEnv,
): Promise<void> {
  if (!limiter) return;
  const network = clientNetwork(request);
  const account = JSON.stringify([user.tenant, accountOf(user)]);
  const keys = network === undefined ? [account] : [account, network];
  const outcomes = await Promise.all(keys.map((key) => limiter.limit({ key })));
  if (outcomes.every(({ success }) => success)) return;
  throw rateLimited("Too many connections begin from here.", BINDING_SECONDS);
}

/** How a client continues an earlier connection. Both come from the client, and are checked before they are used. */
interface Resumption {
  /** Its position in the room's log, as text. */
  readonly since?: string | undefined;
  /** The id of the earlier connection, which is ended; messages that excluded it are not replayed. */
  readonly previous?: string | undefined;
  /** The client announces that it will send pings. */
  readonly pings?: boolean;
}

/**
 * The room's answer: an upgrade with a socket, or a refusal. If the room's object is full, the socket goes to one of
 * the room's overflow relays. Throws `invalid_position`, and `relay_full` if all those relays are full as well.
 */
export async function openRoom(entrant: Entrant, resumption: Resumption): Promise<Response> {
  const { serving, topic } = entrant;
  const arrival = await arrivalOf(entrant, resumption);
  const name = objectName({ ...domainOf(entrant), topic });
  const room = objectsOf(serving).ROOMS.getByName(name);
  const response = await handOver(room as unknown as ObjectFetch, arrival);
  return refusalCodeOf(response) === "room_full" ? overflow(entrant, arrival) : response;
}

/** One of the room's overflow relays holds the socket and follows the room. The client sees no difference. */
function overflow(entrant: Entrant, arrival: RoomArrival): Promise<Response> {
  const { request, topic, serving } = entrant;
  const room = formatTopic(topic);
  const target = { domain: domainOf(entrant), continent: continentOf(request), room };
  return serving.relays.enter(serving, target, { ...arrival, kind: "room", room });
}

/**
 * A replay of missed messages counts as reading history. A user who may not read history therefore enters without a
 * position: the room then reports its own position, and that nothing was recovered.
 */
async function arrivalOf(entrant: Entrant, resumption: Resumption): Promise<RoomArrival> {
  const { since } = resumption;
  const position = since ? parsePosition(since) : undefined;
  const mayReplay = position && (await mayReadHistory(...policyInput(entrant)));
  const version = clientVersionOf(entrant.request);
  return {
    user: entrant.user,
    ...(position && mayReplay && { since: position }),
    ...continuation(resumption),
    ...(version !== undefined && { version }),
    ...traceIn(entrant.request),
  };
}

/** The part of an arrival that rooms and hubs have in common. */
export const continuation = ({ previous, pings }: Resumption): Continuation => ({
  ...(previous && { previous: previous.slice(0, MAX_CONNECTION_ID) }),
  ...(pings && { pings: true as const }),
});

/** In characters. The server's own ids are shorter; a longer one is cut, and then equals no connection's id. */
const MAX_CONNECTION_ID = 200;
