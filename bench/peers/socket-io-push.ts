// Publishing over HTTP with Socket.IO, as its documentation shows it: an endpoint beside it, and `emit` to a room.

import { Server } from "socket.io";
import { pushServer } from "./push-server.ts";

const http = pushServer(({ room, message }) => void io.to(room).emit("said", message));
const io = new Server(http, { transports: ["websocket"], pingInterval: 300_000 });

io.on("connection", (socket) => void socket.join(String(socket.handshake.query.room)));

http.listen(Number(process.argv[2]), "127.0.0.1");
