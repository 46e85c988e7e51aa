// The worker's end of a WebSocket to an object. Objects only hold WebSockets, which can hibernate; for clients of other
// transports the worker translates.

import { HubError } from "../../model/errors.ts";
import { retryAfterOf } from "../../model/retry-after.ts";
import type { RoomRecord } from "./room-record.ts";

/** The socket of an upgrade, not yet accepted. If the object refused, throws its error. */
export async function socketOf(response: Response): Promise<WebSocket> {
  if (response.webSocket) return response.webSocket;
  const { error } = await response.json<{ error: { code: string; message: string } }>();
  throw Object.assign(new HubError<string>(error.code, error.message), retryAfterOf(response));
}

/** "Method not found": the client behind this socket can receive only. */
const CANNOT_ANSWER = { code: -32601, message: "An event stream cannot answer." };

/** Refuses a request of the object at once, so that hub code does not wait for its timeout. */
export function refuseRequest(socket: WebSocket, { id }: RoomRecord): void {
  socket.send(JSON.stringify({ jsonrpc: "2.0", id, error: CANNOT_ANSWER }));
}

/** "Going away": the worker cannot tell whether a client left its stream on purpose, or lost it and will return. */
const GOING_AWAY = 1001;

/** Closes a socket in any state, even one that is closed or was never opened. */
export function closeQuietly(socket: WebSocket | undefined): void {
  try {
    socket?.close(GOING_AWAY);
  } catch {
    // Closed already.
  }
}
