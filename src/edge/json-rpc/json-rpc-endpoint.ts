// JSON-RPC 2.0: a room over a WebSocket, held by the room's object; a whole hub, held by a relay, over one WebSocket
// for all its rooms, or over HTTP. An HTTP caller is a connection for the length of its request, and can only call
// methods.

import { httpStatusOf } from "../../model/error-table.ts";
import { HubError } from "../../model/errors.ts";
import type { Incoming, Received } from "../../model/message.ts";
import { formatTopic } from "../../model/topic.ts";
import { jsonRpc, jsonRpcAnswers } from "../../protocols/json-rpc-codec.ts";
import { limitsWithin } from "../../rooms/connection/connection-limits.ts";
import type { JsonRpcArrival } from "../../rooms/rpc/arrival.ts";
import { admitToRoom, continuation, openRoom } from "../admit/admission.ts";
import { bodyWithin, utf8Text } from "../admit/request-body.ts";
import { connectRequest } from "../admit/connect-request.ts";
import { callerOf, queryOf, relayTargetOf, type Caller } from "../admit/hub-callers.ts";
import { callRelay } from "../admit/relay-call.ts";
import { NO_STORE } from "../answer/cache-headers.ts";
import { wantsWebSocket } from "../answer/upgrade-request.ts";
import { VERSION_PARAMETER } from "../../model/package-version.ts";
import type { Serving } from "../admit/serving.ts";
import { clientVersionOf } from "../answer/client-version.ts";

/**
 * `GET {hub}/{kind}/{name}`: the room's object holds the socket, and the worker's part ends with the handshake.
 * `?since=` resumes from a position, `?connection=` names the client's earlier connection, which is ended,
 * `?heartbeat=1` announces pings. Throws what admission throws, `invalid_position` and `relay_full`; refusals by the
 * object are returned as its answer.
 */
export async function enterRoom(request: Request, serving: Serving): Promise<Response> {
  const entrant = await admitToRoom(request, serving, (own) => [formatTopic(own)]);
  const query = queryOf(request);
  const resumption = {
    since: query.get("since"),
    previous: query.get("connection"),
    pings: announcesPings(query),
  };
  return withSubprotocol(request, await openRoom(entrant, resumption));
}

/**
 * `GET {hub}/rpc`. A frame has one message, as stock libraries expect; with `?arrays=1`, as Dormouse's client sends it,
 * a frame may have several. `?connection=` and `?heartbeat=1` are the same as for rooms. Throws what authentication and
 * the webhook throw, `hub_not_found`, `forbidden`, `upgrade_required`, `rate_limited` and `relay_full`; other refusals
 * of the relay are returned as its answer.
 */
export async function enterHub(request: Request, serving: Serving): Promise<Response> {
  const caller = await callerOf(request, serving);
  if (!wantsWebSocket(request))
    throw new HubError("upgrade_required", "Connect to a hub by WebSocket, or call it by POST.");
  const version = clientVersionOf(request);
  const arrival: JsonRpcArrival = {
    kind: "rpc",
    user: caller.user,
    request: connectRequest(request, caller.served.settings),
    arrays: caller.query.get("arrays") === "1",
    ...continuation({
      previous: caller.query.get("connection"),
      pings: announcesPings(caller.query),
    }),
    ...(version !== undefined && { version }),
  };
  const response = await serving.relays.enter(serving, relayTargetOf(caller), arrival);
  return withSubprotocol(request, response);
}

/**
 * Dormouse's own client pings, and sends its version; other clients that ping may send `?heartbeat=1`. Only a client
 * that announced pings can be found dead before its first ping.
 */
const announcesPings = (query: Caller["query"]): boolean =>
  query.get("heartbeat") === "1" || query.has(VERSION_PARAMETER);

/**
 * The same answer; if the client offered the subprotocol of JSON-RPC, it accepts that. A browser that offered any
 * subprotocol closes the socket unless the server accepts one of them (RFC 6455, §4.1); a server must not name one that
 * was not offered.
 */
function withSubprotocol(request: Request, response: Response): Response {
  const offered = request.headers.get("sec-websocket-protocol")?.split(",") ?? [];
  if (!response.webSocket || !offered.some((name) => name.trim() === jsonRpc.name)) return response;
  const headers = { "sec-websocket-protocol": jsonRpc.name };
  return new Response(null, { status: 101, webSocket: response.webSocket, headers });
}

/**
 * `POST {hub}/rpc`: a call, or a batch of them. 200 with the answers, which may be errors; 204 if all calls are
 * notifications; 400 or 413, with an error in JSON-RPC's form, for a body that is not JSON-RPC. Each request counts as
 * a new connection. Throws what authentication and the webhook throw, `hub_not_found`, `forbidden`,
 * `unsupported_media_type`, `rate_limited`, `too_large`, and what `callRelay` throws.
 */
export async function callHub(request: Request, serving: Serving): Promise<Response> {
  const caller = await callerOf(request, serving);
  if (!isJson(request.headers.get("content-type")))
    throw new HubError("unsupported_media_type", "A call is application/json.");
  const limits = limitsWithin(caller.served.settings.limits, caller.user);
  // A body that is not UTF-8 is not JSON either, and is refused as such.
  const text = utf8Text(await bodyWithin(request, limits.messageBytes)) ?? "";
  const refusal = refusalOf(jsonRpcAnswers.decode(text, limits));
  if (refusal) return refusal;
  const answer = await callRelay({ caller, serving, signal: request.signal }, text);
  return answer === "" ? noContent() : json(answer, 200);
}

/** The media types of "JSON-RPC over HTTP"; parameters are ignored. */
const isJson = (type: string | null): boolean =>
  /^application\/(?:json|json-rpc|jsonrequest)\s*(?:;|$)/i.test(type?.trim() ?? "");

/** Stands for the message of a frame that has none, such as an empty array. */
const NO_REQUEST: Incoming = {
  ...{ type: "malformed", id: null },
  error: new HubError("malformed", "The body is not a request."),
};

/**
 * The answer to a body that is malformed as a whole, which reaches no relay; undefined for other bodies. Faults of
 * single calls of a batch are answered by the relay. A notification is never answered, even if it is malformed.
 */
function refusalOf({ messages: [message = NO_REQUEST], batch }: Received): Response | undefined {
  if (batch || message.type !== "malformed") return undefined;
  const { id, error } = message;
  if (id === undefined) return noContent();
  const text = jsonRpcAnswers.encode({ type: "failure", id, error });
  return json(text, httpStatusOf(error.code), error.code);
}

/** The answer to notifications, even if they failed: JSON-RPC has no way to report that. */
const noContent = (): Response => new Response(null, { status: 204 });

/** `code`: the error's code, which is also set as a header if the text is a refusal. */
const json = (text: string, status: number, code?: string): Response =>
  new Response(text, {
    status,
    headers: {
      "content-type": "application/json",
      ...NO_STORE,
      ...(code !== undefined && { "x-dormouse-error": code }),
    },
  });
