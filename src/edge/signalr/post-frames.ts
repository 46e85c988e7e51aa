// The client's direction of SignalR's other two transports (docs/design/signalr-transports.md#tp3, #lp4): frames by
// POST, the end by DELETE. Answers are those of ASP.NET Core.

import { PING } from "../../model/wire-constants.ts";
import { factsOf } from "../../model/user.ts";
import type { PostOutcome } from "../../rooms/rpc/relay-rpc.ts";
import { seatEndsAt } from "../../rooms/rpc/seat-token.ts";
import type { Caller } from "../admit/hub-callers.ts";
import { unlessRefused } from "../../rooms/rpc/fault.ts";
import { relayOfToken } from "../admit/relay-choice.ts";
import { bodyWithin } from "../admit/request-body.ts";
import { domainOf } from "../admit/request-target.ts";
import type { Serving } from "../admit/serving.ts";
import { endedConnection, missingToken, refusal, unknownConnection } from "./signalr-refusal.ts";

/** A body may hold as many messages of the largest size: clients join those that waited during the previous POST. */
const MESSAGES_A_BODY = 32;

/**
 * Passes the body to the connection of this token. Resolves when the relay has received it. Bodies stay in order,
 * because clients send the next POST only after that answer. Throws `too_large`.
 */
export async function postToConnection(
  caller: Caller,
  serving: Serving,
  token: string | undefined,
): Promise<Response> {
  const { user, served } = caller;
  const { method } = caller.request;
  if (method !== "POST" && method !== "DELETE")
    return refusal("method_not_allowed", "", "GET, POST, DELETE");
  if (!token) return missingToken();
  const body = method === "POST" ? await bodyOf(caller) : "end";
  const relay = relayOfToken(serving, domainOf(caller), token);
  if (!relay) return unknownConnection();
  const now = Date.now();
  const isLatePing = body === "ping" && now > seatEndsAt(token);
  const { silentSeconds } = served.settings;
  if (isLatePing && !serving.pings.isDue(token, now, silentSeconds)) return received();
  const outcome = unlessRefused(await relay.post(token, factsOf(user), body));
  const answer = answerTo(method, outcome);
  if (isLatePing && answer.ok) serving.pings.passed(token, now);
  return answer;
}

function answerTo(method: string, outcome: PostOutcome): Response {
  if (outcome === "unknown") return unknownConnection();
  if (outcome === "ended") return endedConnection();
  if (outcome === "full") return refusal("too_large", TOO_EARLY);
  return method === "POST" ? postAnswer(outcome) : deleteAnswer(outcome);
}

const TOO_EARLY = "More was sent than may wait for the transport to begin.";

/** A WebSocket connection may only send by its socket: frames that came both ways would have no order. */
const postAnswer = (transport: PostOutcome): Response =>
  transport === "WebSockets"
    ? refusal(
        "method_not_allowed",
        "POST requests are not allowed for WebSocket connections.",
        "GET, DELETE",
      )
    : received();

/** Only long polling needs a DELETE to end: a WebSocket and an event stream end when they are closed. */
const deleteAnswer = (transport: PostOutcome): Response =>
  transport === "LongPolling"
    ? new Response(null, { status: 202 })
    : refusal("wrong_kind", "Cannot terminate this connection using the DELETE endpoint.");

const received = (): Response => new Response("", { headers: { "content-type": "text/plain" } });

/**
 * The body, or `ping` if it has nothing but a ping. Pings only show the relay that the client is alive, and need not
 * all be passed on (PostedPings). In a connection's first seconds they are: the JavaScript client's start ends with a
 * ping, and must fail if the connection has ended meanwhile (docs/design/signalr-reconnect.md#ka9).
 */
async function bodyOf({ request, served }: Caller): Promise<ArrayBuffer | "ping"> {
  const body = await bodyWithin(request, served.settings.limits.messageBytes * MESSAGES_A_BODY);
  return isPing(body) ? "ping" : body;
}

/** Whether the body is one ping in JSON with its record separator. Other forms are passed on, and do no harm. */
const isPing = (body: ArrayBuffer): boolean =>
  body.byteLength === PING.length && new TextDecoder().decode(body) === PING;
