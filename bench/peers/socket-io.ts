// Socket.IO over WebSocket only, with its own rooms.

import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();

// No pings during a run: they differ in time per socket, and streams are compared byte by byte.
const io = new Server(http, { transports: ["websocket"], pingInterval: 300_000 });

io.on("connection", (socket) => {
  const room = String(socket.handshake.query.room);
  void socket.join(room);
  socket.on("say", (message: string) => io.to(room).emit("said", message));
});

http.listen(Number(process.argv[2]), "127.0.0.1");
