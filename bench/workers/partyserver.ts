// partyserver with hibernation, as its README shows it.

import { Server, routePartykitRequest, type Connection } from "partyserver";

interface PartyEnv {
  readonly room: DurableObjectNamespace<Room>;
}

export class Room extends Server {
  static override options = { hibernate: true };

  override onMessage(_connection: Connection, message: string): void {
    this.broadcast(message);
  }
}

export default {
  fetch: async (request: Request, env: PartyEnv) =>
    (await routePartykitRequest(request, { ...env })) ?? new Response(null, { status: 404 }),
};
