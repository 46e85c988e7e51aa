// PartySocket in JavaScript: one room over one WebSocket.

import { PartySocket } from "partysocket";
import { WebSocket } from "ws";
import type { Snippet } from "./snippet.ts";

export function party({ url, token, seen }: Snippet) {
  const socket = new PartySocket({
    host: new URL(url).host,
    party: "chat",
    room: "group:general",
    query: () => ({ access_token: token }),
    WebSocket, // Node's; a page leaves it out
  });
  socket.addEventListener("message", ({ data }) => {
    for (const { method, params } of [JSON.parse(data)].flat()) seen(method, ...[params].flat());
  });
  return socket;
}
