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
import type { Serving } from "../admit/serving.ts";
import { endedConnection, missingToken, refusal, unknownConnection } from "./signalr-refusal.ts";

/** Messages of the largest size in one body: clients join what waited while a POST was under way. */
const MESSAGES_A_BODY = 32;

/**
 * Passes the body to the connection of this token. Answered when the relay has received it, in order with all earlier
 * ones: clients do not send the next POST before. Throws `too_large`.
 */
export async function postToConnection(
  caller: Caller,
  serving: Serving,
  token: string | undefined,
): Promise<Response> {
  const { request, user, served } = caller;
  const { method } = request;
  if (method !== "POST" && method !== "DELETE")
    return refusal("method_not_allowed", "", "GET, POST, DELETE");
  if (!token) return missingToken();
  const body = method === "POST" ? await bodyOf(caller) : "end";
  const relay = relayOfToken(serving, { tenant: user.tenant, hub: served.name }, token);
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

/** A WebSocket's connection receives by its socket alone: frames that came both ways would have no order. */
const postAnswer = (transport: PostOutcome): Response =>
  transport === "WebSockets"
    ? refusal(
        "method_not_allowed",
        "POST requests are not allowed for WebSocket connections.",
        "GET, DELETE",
      )
    : received();

/** Only long polling needs a request to end: a WebSocket and an event stream end with their own. */
const deleteAnswer = (transport: PostOutcome): Response =>
  transport === "LongPolling"
    ? new Response(null, { status: 202 })
    : refusal("wrong_kind", "Cannot terminate this connection using the DELETE endpoint.");

const received = (): Response => new Response("", { headers: { "content-type": "text/plain" } });

/**
 * A ping alone is no message: the relay only notes that the client lives, and need not learn of each (PostedPings). In
 * a connection's first seconds it is always asked: the JavaScript client's start ends with a ping, and must fail where
 * the connection has ended meanwhile (docs/design/signalr-reconnect.md#ka9).
 */
async function bodyOf({ request, served }: Caller): Promise<ArrayBuffer | "ping"> {
  const body = await bodyWithin(request, served.settings.limits.messageBytes * MESSAGES_A_BODY);
  return isPing(body) ? "ping" : body;
}

/** A ping in JSON with its record separator, alone in its body. Others pass, and do no harm. */
const isPing = (body: ArrayBuffer): boolean =>
  body.byteLength === PING.length && new TextDecoder().decode(body) === PING;
