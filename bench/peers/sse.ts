// Server-Sent Events, written by hand on Node: a set of responses per room, and a loop over it. Publishers POST.

import { createServer, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

const rooms = new Map<string, Set<ServerResponse>>();
let id = 0;

const server = createServer(async (request, response) => {
  const room = rooms.get(request.url!) ?? new Set();
  rooms.set(request.url!, room);
  if (request.method === "POST") {
    const message = await text(request);
    const event = `event: said\nid: ${++id}\ndata: ${JSON.stringify([message])}\n\n`;
    for (const each of room) each.write(event);
    response.writeHead(204).end();
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.write("event: connected\ndata: {}\n\n");
  room.add(response);
  response.on("close", () => room.delete(response));
});

server.listen(Number(process.argv[2]), "127.0.0.1");
