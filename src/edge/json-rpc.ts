// A whole hub over one WebSocket in JSON-RPC 2.0: all its rooms, at a relay, as SignalR has it.

import { HubError } from "../model/errors.ts";
import type { RpcArrival } from "../rooms/rpc.ts";
import { accepted } from "./admission.ts";
import { connectRequest } from "./connect-request.ts";
import { callerOf, wanted, type Env } from "./hub-callers.ts";
import { enterAtRelay } from "./relays.ts";
import type { Hubs } from "../dispatch/tables.ts";

/**
 * `GET {hub}/rpc`. Stock libraries take one message a frame; `?arrays=1` asks for frames that hold several, as our own
 * client does. Throws what authentication throws, `hub_not_found`, `forbidden`, `upgrade_required`, `relay_full`.
 */
export async function enterHub(request: Request, hubs: Hubs, env: Env): Promise<Response> {
  const caller = await callerOf(request, hubs, env);
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
    throw new HubError("upgrade_required", "A hub is entered by WebSocket.");
  const arrival: RpcArrival = {
    kind: "rpc",
    user: caller.user,
    request: connectRequest(request),
    arrays: caller.query.get("arrays") === "1",
  };
  return accepted(request, await enterAtRelay(env, wanted(caller), arrival));
}
