// The whole system on one screen. A client's request comes to the endpoint, which authenticates it and routes it to
// the object of its room; the room holds the socket and hands what it receives to the dispatcher, which calls a hub;
// the hub says something to a room, and the room numbers it, saves it and sends it to whoever is there.
//
//   client → endpoint (edge, auth) → Room (rooms) → dispatcher (dispatch) → hub (hubs) → Room → clients
//
// What binds them is `serve`, in server.ts.

import { hubs } from "./hubs/index.ts";
import { serve } from "./server.ts";

const { Room, endpoint } = serve(hubs);

/** One group, order channel or user of a hub and tenant: numbers, log, presence, sockets. */
export { Room };
export type Room = InstanceType<typeof Room>;

export default endpoint;
