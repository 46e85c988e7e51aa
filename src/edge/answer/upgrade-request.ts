// Requests for a WebSocket, as both admission and refusals tell them.

/**
 * A WebSocket handshake, which is a GET (RFC 6455, §4.1): a HEAD would leave a socket that nobody has. Browsers and
 * proxies write the token in different cases.
 */
export const wantsWebSocket = ({ method, headers }: Request): boolean =>
  method === "GET" && headers.get("upgrade")?.toLowerCase() === "websocket";
