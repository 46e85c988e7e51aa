// The whole system on one screen. A client's request comes to the endpoint, which authenticates it and routes it to
// the object of its room; the room holds the socket and hands what it receives to the dispatcher, which calls a hub;
// the hub says something to a room, and the room numbers it, saves it and sends it to whoever is there.
//
//   client → endpoint (edge, auth) → Room (rooms) → dispatcher (dispatch) → hub (hubs) → Room → clients

import { verifyToken, type AuthEnv } from "./auth/authenticate.ts";
import { dispatcher } from "./dispatch/dispatcher.ts";
import { tablesOf } from "./dispatch/tables.ts";
import { endpoint, type EndpointEnv } from "./edge/app.ts";
import { hubs } from "./hubs/index.ts";
import { RoomObject } from "./rooms/room.ts";

const served = tablesOf(hubs);

/** What rooms receive goes to the hubs; a connection's fresh token goes through the same door as its first. */
const receiver = dispatcher({
  hubs: served,
  verify: (token, env) => verifyToken(token, env as AuthEnv),
});

/** One group, order channel or user of a hub and tenant: numbers, log, presence, sockets. */
export class Room extends RoomObject<EndpointEnv> {
  constructor(ctx: DurableObjectState, env: EndpointEnv) {
    super(ctx, env, receiver);
  }
}

export default endpoint(served);
