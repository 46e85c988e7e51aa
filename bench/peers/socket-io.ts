// Socket.IO over WebSocket alone, with its own rooms.

import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();

// Pings would come at every socket's own time, within the streams that are compared; so there are none in a run.
const io = new Server(http, { transports: ["websocket"], pingInterval: 300_000 });

io.on("connection", (socket) => {
  const room = String(socket.handshake.query.room);
  void socket.join(room);
  socket.on("say", (message: string) => io.to(room).emit("said", message));
});

http.listen(Number(process.argv[2]), "127.0.0.1");
