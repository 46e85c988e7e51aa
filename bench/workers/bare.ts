// The minimum of a hibernating object: it sends every message to all sockets. The baseline for the cost of our rooms.

import { DurableObject } from "cloudflare:workers";

interface BareEnv {
  readonly ROOMS: DurableObjectNamespace;
}

export class Room extends DurableObject<BareEnv> {
  override fetch(): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(_socket: WebSocket, message: string): void {
    for (const socket of this.ctx.getWebSockets()) socket.send(message);
  }

  override webSocketClose(socket: WebSocket): void {
    socket.close(1000);
  }
}

export default {
  fetch: (request: Request, env: BareEnv) =>
    env.ROOMS.getByName(new URL(request.url).pathname).fetch(request),
};
