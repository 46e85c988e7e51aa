// One room over a WebSocket in JSON-RPC: `GET /hubs/{hub}/{kind}/{name}` with an upgrade. The object of the room holds
// the socket; the worker's part ends with the handshake.

import { formatTopic } from "../../model/topic.ts";
import { admitToRoom, openRoom } from "../admit/admission.ts";
import { checkConnectRate } from "../admit/connect-rate.ts";
import type { Serving } from "../admit/serving.ts";
import { withSubprotocol } from "./subprotocol.ts";

/**
 * `?since=` resumes from a position, `?connection=` names the client's earlier connection. Throws what admission
 * throws, `rate_limited`, `invalid_position` and `relay_full`; the object's own refusals are answers.
 */
export async function enterRoom(request: Request, serving: Serving): Promise<Response> {
  const entrant = await admitToRoom(request, serving, (own) => [formatTopic(own)]);
  await checkConnectRate(request, entrant.user, serving.env);
  const { searchParams: query } = new URL(request.url);
  const resumption = {
    since: query.get("since") ?? undefined,
    previous: query.get("connection") ?? undefined,
  };
  return withSubprotocol(request, await openRoom(serving, entrant, resumption));
}
