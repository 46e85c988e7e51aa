// Opens a JSON-RPC socket at a relay, for calls that need more than one request: sessions and uploads of stream items.

import type { HandlerContext } from "@connectrpc/connect";
import type { Limits } from "../../model/options.ts";
import { depthError, sizeError } from "../../protocols/json.ts";
import { limitsWithin } from "../../rooms/connection/connection-limits.ts";
import type { JsonRpcArrival } from "../../rooms/rpc/arrival.ts";
import { connectRequest } from "../admit/connect-request.ts";
import { relayTargetOf, type Caller } from "../admit/hub-callers.ts";
import { closeQuietly, socketOf } from "../stream/room-socket.ts";
import { untilAborted } from "./abort-signals.ts";
import { admittedCaller, authenticatedCall } from "./grpc-call.ts";

export interface HubSocket {
  /** Not yet accepted, so that its events wait for the listeners. */
  readonly socket: WebSocket;
  /** The hub's limits, lowered by the token's. */
  readonly limits: Limits;
}

/**
 * Opens a socket for the caller. If the call is aborted meanwhile, the socket is closed once it is open. Throws what
 * admission throws, `rate_limited`, `relay_full`, the relay's refusals, and the signal's reason.
 */
export async function hubSocket(
  context: HandlerContext,
  hub: string,
  reports: Pick<JsonRpcArrival, "reportsTaken"> = {},
): Promise<HubSocket> {
  const caller = await admittedCaller(context, hub);
  const opening = openSocket(caller, context, reports);
  try {
    const socket = await untilAborted(context.signal, opening);
    return { socket, limits: limitsWithin(caller.served.settings.limits, caller.user) };
  } catch (error) {
    opening.then(discard, () => {});
    throw error;
  }
}

/** A socket must be accepted before it can be closed. */
function discard(socket: WebSocket): void {
  socket.accept();
  closeQuietly(socket);
}

async function openSocket(
  caller: Caller,
  context: HandlerContext,
  reports: Pick<JsonRpcArrival, "reportsTaken">,
): Promise<WebSocket> {
  const { request, serving } = authenticatedCall(context);
  const arrival: JsonRpcArrival = {
    ...{ kind: "rpc", user: caller.user, arrays: true, ...reports },
    request: connectRequest(request, caller.served.settings),
  };
  return socketOf(await serving.relays.enter(serving, relayTargetOf(caller), arrival));
}

/**
 * Checks text before it is sent: the hub would refuse the frame without naming the call. Throws `too_large` or
 * `too_deep`.
 */
export function checkText(text: string, { messageBytes, depth }: Limits): string {
  const refused = sizeError(text, messageBytes) ?? depthError(text, depth);
  if (refused) throw refused;
  return text;
}
