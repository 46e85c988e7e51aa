// The transport that a request asks for, by its headers. Routes do not tell transports apart: one URL serves several.

/** A WebSocket handshake. Browsers and proxies write the token in different cases. */
export const wantsWebSocket = ({ headers }: Request): boolean =>
  headers.get("upgrade")?.toLowerCase() === "websocket";

/** An event stream, as EventSource asks for it. `*`-forms do not count: clients that poll send those as well. */
export const wantsEventStream = ({ headers }: Request): boolean =>
  headers.get("accept")?.includes("text/event-stream") ?? false;
