// Publishing over HTTP with ws: a set of sockets per room, and a loop over it.

import { type WebSocket, WebSocketServer } from "ws";
import { pushServer } from "./push-server.ts";

const rooms = new Map<string, Set<WebSocket>>();

const server = pushServer(({ room, message }) => {
  for (const each of rooms.get(room) ?? []) each.send(message);
});

new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (socket, { url }) => {
  const name = url!.slice(1);
  const room = rooms.get(name) ?? new Set();
  rooms.set(name, room.add(socket));
  socket.on("close", () => room.delete(socket));
});

server.listen(Number(process.argv[2]), "127.0.0.1");
