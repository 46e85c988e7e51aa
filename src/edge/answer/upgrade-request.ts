// How both admission and refusals recognize requests for a WebSocket.

/**
 * Whether a request is a WebSocket handshake. It must be a GET (RFC 6455, §4.1): a HEAD would leave a socket that no
 * client has. Browsers and proxies write the header's value in different cases.
 */
export const wantsWebSocket = ({ method, headers }: Request): boolean =>
  method === "GET" && headers.get("upgrade")?.toLowerCase() === "websocket";
