// SignalR's negotiation, and a hub over one WebSocket: `/hubs/{hub}/negotiate` and `/hubs/{hub}?id=`. Answers are in
// SignalR's words (SIGNALR §1, §2): its clients show them.

import { PING } from "../../model/wire-constants.ts";
import { type Transport } from "../../model/options.ts";
import { factsOf } from "../../model/token-rules.ts";
import type { Hubs } from "../../dispatch/define/hub-tables.ts";
import { codeOf, enter } from "../../rooms/room/enter-room.ts";
import type { HubArrival, Posted } from "../../rooms/relay/relay-object.ts";
import { bodyWithin } from "../admit/request-body.ts";
import { checkConnectRate } from "../admit/connect-rate.ts";
import { connectRequest } from "../admit/connect-request.ts";
import {
  callerOf,
  clientOf,
  comer,
  knownCaller,
  returning,
  wanted,
  type Caller,
  type Env,
} from "../admit/hub-callers.ts";
import { atRelay, enterAtRelay, relayOf, type Relay } from "../admit/relay-choice.ts";
import { lifetimeOf } from "./refresh.ts";
import { longPoll, serverSentEvents } from "./sse-and-polling.ts";

const NEWEST = 1;

/** `POST {hub}/negotiate`: always 200, also where the client asked for a version that is none. */
export async function negotiate(request: Request, hubs: Hubs, env: Env): Promise<Response> {
  const caller = await callerOf(request, hubs, env);
  const asked = caller.query.get("negotiateversion") ?? "0";
  if (!/^-?\d{1,9}$/.test(asked))
    return Response.json({ error: "The client requested a non-integer protocol version." });
  if (Number(asked) < 0) return Response.json({ error: unsupported(asked) });
  const version = Math.min(Number(asked), NEWEST);
  await checkConnectRate(request, caller.user, env);
  const seat = await atRelay(env, wanted(caller), (relay) =>
    relay.seat(caller.user.id, version > 0, caller.user.grant),
  );
  return Response.json({
    negotiateVersion: version,
    connectionId: seat.id,
    ...(version > 0 && {
      connectionToken: seat.token,
      tokenLifetimeSeconds: lifetimeOf(caller.user, Date.now()),
    }),
    availableTransports: caller.served.settings.signalR.transports.map((transport) => ({
      transport,
      transferFormats: transport === "ServerSentEvents" ? ["Text"] : ["Text", "Binary"],
    })),
    ...(resumes(caller) && { useStatefulReconnect: true }),
  });
}

const unsupported = (version: string): string =>
  `The client requested version '${version}', but the server does not support this version.`;

const resumes = ({ query, served }: Caller): boolean =>
  query.get("usestatefulreconnect")?.toLowerCase() === "true" &&
  served.settings.signalR.statefulReconnect !== undefined;

/** `{hub}?id=` with any verb. */
export async function connect(request: Request, hubs: Hubs, env: Env): Promise<Response> {
  const known = await knownCaller(request, hubs, env);
  const token = known.query.get("id");
  const isNew = request.method === "GET" && !token;
  const caller = isNew ? await comer(known, env) : await returning(known, env);
  if (request.method !== "GET") return sendTo(caller, env, token);
  const transport = transportOf(request);
  if (!caller.served.settings.signalR.transports.includes(transport))
    return refusal(
      404,
      `${transport} transport not supported by this end point type`,
      "wrong_kind",
    );
  if (transport === "WebSockets" && !token) {
    // Negotiation was skipped, and what is asked there.
    await checkConnectRate(request, caller.user, env);
    return enterAtRelay(env, wanted(caller), arrival(caller));
  }
  if (!token) return refusal(400, "Connection ID required", "invalid_request");
  const response = await attach(caller, env, { token, transport });
  if (transport === "WebSockets" || !response.webSocket) return response;
  return transport === "ServerSentEvents"
    ? serverSentEvents(response.webSocket, request)
    : longPoll(response.webSocket, request);
}

function transportOf({ headers }: Request): Transport {
  if (headers.get("accept")?.includes("text/event-stream")) return "ServerSentEvents";
  return headers.get("upgrade")?.toLowerCase() === "websocket" ? "WebSockets" : "LongPolling";
}

interface Attaching {
  readonly token: string;
  readonly transport: Transport;
}

async function attach(
  caller: Caller,
  env: Env,
  { token, transport }: Attaching,
): Promise<Response> {
  const relay = relayHolding(caller, env, token);
  if (!relay) return notFound();
  const bridged = transport === "WebSockets" ? {} : { transport };
  const response = await enter(relay, { ...arrival(caller), token, ...bridged });
  const code = codeOf(response);
  if (code === "connection_not_found") return notFound();
  if (code === "duplicate_id") return refusal(409, "", code);
  if (code === "wrong_kind") return refusal(400, "Cannot change transports mid-connection", code);
  return response;
}

const relayHolding = ({ user, served }: Caller, env: Env, token: string): Relay | undefined =>
  relayOf(env, { tenant: user.tenant, hub: served.name }, token);

function arrival(caller: Caller): HubArrival {
  const client = clientOf(caller);
  const { user, request } = caller;
  return {
    kind: "hub",
    user,
    request: connectRequest(request),
    ...(client !== undefined && { client }),
  };
}

/** What other transports send by; a WebSocket's connection takes nothing on this way. */
async function sendTo(caller: Caller, env: Env, token: string | undefined): Promise<Response> {
  const { request, user } = caller;
  const { method } = request;
  if (method !== "POST" && method !== "DELETE") return refusal(405, "", "invalid_request");
  if (!token) return refusal(400, "Connection ID required", "invalid_request");
  const body = method === "POST" ? await bodyOf(caller) : "end";
  // A ping keeps nothing alive that its own stream does not: it need not wake the object.
  if (body !== "end" && isPing(body)) return taken();
  const transport = await relayHolding(caller, env, token)?.post(token, factsOf(user), body);
  if (transport === undefined || transport === "unknown") return notFound();
  return method === "POST" ? posted(transport) : deleted(transport);
}

const posted = (transport: Posted): Response =>
  transport === "WebSockets"
    ? refusal(405, "POST requests are not allowed for WebSocket connections.", "wrong_kind")
    : taken();

const deleted = (transport: Posted): Response =>
  transport === "LongPolling"
    ? new Response(null, { status: 202 })
    : refusal(400, "Cannot terminate this connection using the DELETE endpoint.", "wrong_kind");

const taken = (): Response => new Response("", { headers: { "content-type": "text/plain" } });

/** Clients join what waited into one body: a few messages of the largest size. Throws `too_large`. */
const bodyOf = ({ request, served }: Caller): Promise<ArrayBuffer> =>
  bodyWithin(request, served.settings.limits.messageBytes * MESSAGES_A_BODY);

const MESSAGES_A_BODY = 32;

const isPing = (body: ArrayBuffer): boolean =>
  body.byteLength === PING.length && new TextDecoder().decode(body) === PING;

const notFound = (): Response => refusal(404, "No Connection with that ID", "connection_not_found");

const refusal = (status: number, text: string, code: string): Response =>
  new Response(text, {
    status,
    headers: {
      "cache-control": "no-store",
      "content-type": "text/plain",
      "x-dormouse-error": code,
    },
  });
