// A caller at a hub for longer than one call: its JSON-RPC socket at a relay.

import type { HandlerContext } from "@connectrpc/connect";
import type { Limits } from "../../model/options.ts";
import { depthError, sizeError } from "../../protocols/hostile-json.ts";
import { limitsWithin } from "../../rooms/connection/connection-limits.ts";
import type { JsonRpcArrival } from "../../rooms/rpc/arrival.ts";
import { closeQuietly, socketIn } from "../stream/bridge.ts";
import { checkConnectRate } from "../admit/connect-rate.ts";
import { connectRequest } from "../admit/connect-request.ts";
import type { Heard } from "../sse/sse-events.ts";
import { wanted, type Caller } from "../admit/hub-callers.ts";
import { enterAtRelay } from "../admit/relay-choice.ts";
import { askingOf, callerIn, within } from "./grpc-call.ts";

export interface HubSocket {
  /** Still to be accepted. */
  readonly socket: WebSocket;
  readonly limits: Limits;
}

/** Throws what entering a hub throws, and whatever ends the call meanwhile. */
export async function hubSocket(context: HandlerContext, hub: string): Promise<HubSocket> {
  const caller = await callerIn(context, hub);
  const opening = entered(caller, context);
  try {
    const socket = await within(context.signal, opening);
    return { socket, limits: limitsWithin(caller.served.settings.limits, caller.user) };
  } catch (error) {
    // Nobody waits for it any more.
    opening.then(dropped, () => {});
    throw error;
  }
}

function dropped(socket: WebSocket): void {
  socket.accept();
  closeQuietly(socket);
}

async function entered(caller: Caller, context: HandlerContext): Promise<WebSocket> {
  const { request, env } = askingOf(context);
  await checkConnectRate(request, caller.user, env);
  const arrival: JsonRpcArrival = {
    ...{ kind: "rpc", user: caller.user, request: connectRequest(request), arrays: true },
  };
  return socketIn(await enterAtRelay(env, wanted(caller), arrival));
}

/** What the hub would refuse without saying whose it was is refused here. Throws `too_large` or `too_deep`. */
export function fitting(text: string, { messageBytes, depth }: Limits): string {
  const refused = sizeError(text, messageBytes) ?? depthError(text, depth);
  if (refused) throw refused;
  return text;
}

export const recordsIn = (text: string): readonly Heard[] =>
  ([] as Heard[]).concat(JSON.parse(text) as Heard | Heard[]);
