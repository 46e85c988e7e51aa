// A whole hub in JSON-RPC 2.0, at a relay, as SignalR has it: over one WebSocket with all its rooms, or over HTTP, where
// the caller is a connection for the length of its request.

import { httpStatusOf } from "../../model/error-table.ts";
import { HubError } from "../../model/errors.ts";
import type { Incoming, Received } from "../../model/message.ts";
import { jsonRpcAnswers } from "../../protocols/json-rpc-codec.ts";
import { randomId } from "../../rooms/rpc/object-names.ts";
import { limitsWithin } from "../../rooms/connection/connection-limits.ts";
import type { JsonRpcArrival } from "../../rooms/rpc/arrival.ts";
import type { Hubs } from "../../dispatch/define/hub-tables.ts";
import { accepted } from "../admit/admission.ts";
import { bodyWithin } from "../admit/request-body.ts";
import { checkConnectRate } from "../admit/connect-rate.ts";
import { connectRequest } from "../admit/connect-request.ts";
import { callerOf, wanted, type Caller, type Env } from "../admit/hub-callers.ts";
import { atRelay, enterAtRelay, type Relay } from "../admit/relay-choice.ts";

/**
 * `GET {hub}/rpc`. Stock libraries take one message a frame; `?arrays=1` asks for frames that hold several, as our own
 * client does. Throws what authentication throws, `hub_not_found`, `forbidden`, `upgrade_required`, `relay_full`.
 */
export async function enterHub(request: Request, hubs: Hubs, env: Env): Promise<Response> {
  const caller = await callerOf(request, hubs, env);
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
    throw new HubError("upgrade_required", "A hub is entered by WebSocket, or called by POST.");
  await checkConnectRate(request, caller.user, env);
  const arrival: JsonRpcArrival = {
    kind: "rpc",
    user: caller.user,
    request: connectRequest(request),
    arrays: caller.query.get("arrays") === "1",
  };
  return accepted(request, await enterAtRelay(env, wanted(caller), arrival));
}

/** Keeps the worker until it is done, whatever becomes of the request. */
export type Beyond = (work: Promise<unknown>) => void;

/**
 * `POST {hub}/rpc`: a call, or a batch of them. 200 with the answers, which may be errors; 204 where nothing wants one;
 * 400 or 413, and an error of the protocol's own, for what is no JSON-RPC. Throws what authentication throws,
 * `hub_not_found`, `forbidden`, `unsupported_media_type`, `relay_full`, and what ended the connection too early.
 */
export async function callHub(request: Request, hubs: Hubs, env: Env, beyond: Beyond) {
  const caller = await callerOf(request, hubs, env);
  if (!isJson(request.headers.get("content-type")))
    throw new HubError("unsupported_media_type", "A call is application/json.");
  const limits = limitsWithin(caller.served.settings.limits, caller.user);
  const text = textOf(await bodyWithin(request, limits.messageBytes));
  const refusal = refusalOf(jsonRpcAnswers.decode(text, limits));
  if (refusal) return refusal;
  const answer = await answerTo({ caller, env, beyond, signal: request.signal }, text);
  return answer === "" ? nothing() : json(answer, 200);
}

const isJson = (type: string | null): boolean =>
  /^application\/(?:json|json-rpc|jsonrequest)\s*(?:;|$)/i.test(type?.trim() ?? "");

/** Bytes that are no text are no JSON, either. */
function textOf(body: ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(body);
  } catch {
    return "";
  }
}

const NO_REQUEST: Incoming = {
  ...{ type: "malformed", id: null },
  error: new HubError("malformed", "The body is no request."),
};

/**
 * What is not understood as a whole touches no object. A ping is a word of sockets. Of a notification nothing is told,
 * whatever is wrong with it.
 */
function refusalOf({ messages: [message = NO_REQUEST], batch }: Received): Response | undefined {
  if (batch || message.type !== "malformed") return undefined;
  const { id, error } = message;
  if (id === undefined) return nothing();
  const text = jsonRpcAnswers.encode({ type: "failure", id, error });
  return json(text, httpStatusOf(error.code), error.code);
}

export interface Asking {
  readonly caller: Caller;
  readonly env: Env;
  readonly beyond: Beyond;
  /** Nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** What the hub answers to the text of one request, empty where nothing wants an answer. */
export async function answerTo({ caller, env, beyond, signal }: Asking, text: string) {
  const { request, user } = caller;
  const arrival = { user, request: connectRequest(request), random: randomId() };
  let last: Relay | undefined;
  const hangUp = () => {
    if (last) beyond(last.hangUp(arrival.random));
  };
  signal.addEventListener("abort", hangUp);
  try {
    const answered = await atRelay(env, wanted(caller), (relay) => {
      if (signal.aborted) throw new HubError("interrupted", "The client is gone.");
      return (last = relay).answer(arrival, text);
    });
    if ("text" in answered) return answered.text;
    throw new HubError<string>(answered.fault.code, answered.fault.message);
  } finally {
    signal.removeEventListener("abort", hangUp);
  }
}

const nothing = (): Response => new Response(null, { status: 204 });

const json = (text: string, status: number, code?: string): Response =>
  new Response(text, {
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-store",
      ...(code !== undefined && { "x-dormouse-error": code }),
    },
  });
