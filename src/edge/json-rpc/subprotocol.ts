// The WebSocket subprotocol of JSON-RPC. It is optional: a client that offers none is served alike.

import { jsonRpc } from "../../protocols/json-rpc-codec.ts";

/**
 * The same answer, accepting the subprotocol where the client offered it. A browser that offered any closes the socket
 * unless the server accepts one of them (RFC 6455, §4.1); a server must not name one that was not offered.
 */
export function withSubprotocol(request: Request, response: Response): Response {
  const offered = request.headers.get("sec-websocket-protocol")?.split(",") ?? [];
  if (!response.webSocket || !offered.some((name) => name.trim() === jsonRpc.name)) return response;
  const headers = { "sec-websocket-protocol": jsonRpc.name };
  return new Response(null, { status: 101, webSocket: response.webSocket, headers });
}
