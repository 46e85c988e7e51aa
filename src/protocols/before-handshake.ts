// The protocol of a SignalR connection before its handshake. It has no messages; the only text that both sides
// understand at this point is a refusal in the form of a handshake response.

import { handshakeResponse } from "./handshake.ts";
import type { Protocol } from "./protocol.ts";

export const beforeHandshake: Protocol = {
  name: "signalr-handshake",
  binding: "json",
  decode: () => ({ messages: [], batch: false }),
  encode: () => "",
  join: () => "",
  farewell: () => handshakeResponse("Handshake was canceled."),
};
