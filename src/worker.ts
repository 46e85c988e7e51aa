// The whole system on one screen. A client's request reaches the endpoint, which authenticates it and routes it to an
// object: its room, or a relay, which holds connections to many rooms and follows those rooms for them. The object
// holds the socket and passes frames to the dispatcher, which calls a hub. The hub publishes to a room; the room
// numbers and stores the message, and delivers it to its subscribers, on its own sockets or through relays.
//
//   client → endpoint (edge, auth) → Room or Relay (rooms) → dispatcher (dispatch) → hub (hubs) → Room ⇄ Relay →
//   clients
//
// `serve` of server.ts connects the parts.

import { grpc } from "./grpc-server.ts";
import { hubs, paths } from "./hubs/index.ts";
import { serve } from "./server.ts";

const { Room, Relay, Account, endpoint } = serve(hubs, { paths, grpc });

/** One group, order channel or user of a hub and tenant: offsets, log, presence, sockets. */
export { Room };
export type Room = InstanceType<typeof Room>;

/** Sockets of a whole hub, placed near their clients. */
export { Relay };
export type Relay = InstanceType<typeof Relay>;

/** Users across all hubs: revocations and bans, and where their connections are. */
export { Account };
export type Account = InstanceType<typeof Account>;

export default endpoint;
