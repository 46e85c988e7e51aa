// The whole system on one screen. A client's request comes to the endpoint, which authenticates it and routes it to an
// object: that of its room, or a relay, which holds connections that are in many rooms and follows those rooms for
// them. The object holds the socket and hands what it receives to the dispatcher, which calls a hub; the hub says
// something to a room, and the room numbers it, saves it and sends it to whoever is there, here or at a relay.
//
//   client → endpoint (edge, auth) → Room or Relay (rooms) → dispatcher (dispatch) → hub (hubs) → Room ⇄ Relay → clients
//
// What binds them is `serve`, in server.ts.

import { hubs } from "./hubs/index.ts";
import { serve } from "./server.ts";

const { Room, Relay, Account, endpoint } = serve(hubs);

/** One group, order channel or user of a hub and tenant: numbers, log, presence, sockets. */
export { Room };
export type Room = InstanceType<typeof Room>;

/** Sockets of a whole hub, near their clients. */
export { Relay };
export type Relay = InstanceType<typeof Relay>;

/** Users in all hubs: who may connect, and where their connections are. */
export { Account };
export type Account = InstanceType<typeof Account>;

export default endpoint;
