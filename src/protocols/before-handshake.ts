// What a SignalR connection speaks before its handshake: nothing. Only a refusal is understood by both sides then.

import { handshakeResponse } from "./handshake.ts";
import type { Protocol } from "./protocol.ts";

export const unspoken: Protocol = {
  name: "signalr-handshake",
  decode: () => ({ messages: [], batch: false }),
  encode: () => "",
  join: () => "",
  farewell: () => handshakeResponse("Handshake was canceled."),
};
