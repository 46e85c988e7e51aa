// SignalR's transports, `{hub}?id=` (docs/design/signalr-transports.md#tp1): a connection over a WebSocket, which the
// relay holds, or over another transport, which the worker bridges to a socket of the relay.

import type { Transport } from "../../model/options.ts";
import { refusalCodeOf, handOver, type SignalRArrival } from "../../rooms/rpc/arrival.ts";
import { connectRequest } from "../admit/connect-request.ts";
import {
  admitCaller,
  authenticateCaller,
  clientNameOf,
  queryOf,
  readmitCaller,
  relayTargetOf,
  type Caller,
} from "../admit/hub-callers.ts";
import { relayOfToken } from "../admit/relay-choice.ts";
import { domainOf, wantsEventStream } from "../admit/request-target.ts";
import { wantsWebSocket } from "../answer/upgrade-request.ts";
import type { Serving } from "../admit/serving.ts";
import { postToConnection } from "./post-frames.ts";
import { missingToken, refusal, unknownConnection } from "./signalr-refusal.ts";
import { isMicrosoftClient } from "./signalr-agent.ts";
import { longPoll, serverSentEvents } from "./sse-and-polling.ts";

/**
 * `{hub}` with any verb. A WebSocket without a connection token skips the negotiation, and is admitted as a new
 * connection; all other requests belong to one that was admitted when it negotiated. Throws what admission throws.
 */
export async function connect(request: Request, serving: Serving): Promise<Response> {
  const authenticated = await authenticateCaller(request, serving, queryOf(request).get("id"));
  const token = authenticated.query.get("id");
  const isNew = request.method === "GET" && !token;
  const caller = await (isNew ? admitCaller : readmitCaller)(authenticated, serving);
  if (request.method !== "GET") return postToConnection(caller, serving, token);
  const transport = transportOf(request);
  if (!caller.served.settings.signalR.transports.includes(transport))
    return refusal("not_found", `${transport} transport not supported by this end point type`);
  if (token) return attach(caller, serving, { token, transport });
  if (transport !== "WebSockets") return missingToken();
  // Without negotiation: the option `skipNegotiation` of SignalR's clients.
  return serving.relays.enter(serving, relayTargetOf(caller), arrivalOf(caller));
}

/** A GET that asks for neither events nor an upgrade is a poll. */
function transportOf(request: Request): Transport {
  if (wantsEventStream(request)) return "ServerSentEvents";
  return wantsWebSocket(request) ? "WebSockets" : "LongPolling";
}

/** A request that belongs to a connection, by its token. */
interface Attachment {
  readonly token: string;
  readonly transport: Transport;
}

/**
 * Attaches the request to its connection at the relay: as the first one of a transport, as a poll, or as the stateful
 * reconnect of a WebSocket. The response of another transport lasts as long as the worker's socket to the relay.
 */
async function attach(caller: Caller, serving: Serving, attachment: Attachment): Promise<Response> {
  const { transport } = attachment;
  const response = await enterRelay(caller, serving, attachment);
  if (transport === "WebSockets" || !response.webSocket) return response;
  return transport === "ServerSentEvents"
    ? serverSentEvents(response.webSocket, caller.request)
    : longPoll(response.webSocket, caller.request);
}

/**
 * The relay's answer. Refusals that ASP.NET Core has as well are worded like its own: 404 for an unknown token, 409 for
 * a connection that is in use, 400 for another transport than the connection's.
 */
async function enterRelay(
  caller: Caller,
  serving: Serving,
  { token, transport }: Attachment,
): Promise<Response> {
  const relay = relayOfToken(serving, domainOf(caller), token);
  if (!relay) return unknownConnection();
  // Not set for a WebSocket: there the socket is the client's own.
  const bridged = {
    ...(transport !== "WebSockets" && { transport }),
    ...(transport === "ServerSentEvents" && { reportsTaken: true as const }),
  };
  const response = await handOver(relay, { ...arrivalOf(caller), token, ...bridged });
  const code = refusalCodeOf(response);
  if (code === "connection_not_found") return unknownConnection();
  if (code === "duplicate_id") return refusal(code, "");
  if (code === "wrong_kind") return refusal(code, "Cannot change transports mid-connection");
  return response;
}

/**
 * The part of the request that the relay keeps with the connection. A reconnect sends it again, perhaps with a newer
 * token.
 */
function arrivalOf(caller: Caller): SignalRArrival {
  const client = clientNameOf(caller);
  const { user, request, served } = caller;
  return {
    kind: "hub",
    user,
    request: connectRequest(request, served.settings),
    ...(client !== undefined && { client }),
    ...(isMicrosoftClient(request) && { pings: true as const }),
  };
}
