// How Microsoft's SignalR clients name themselves: in Node and .NET in the user agent; in browsers, which do not let
// pages set that, in a header of their own.

/**
 * Whether the request comes from a client that names itself so. All those clients send pings
 * (docs/design/signalr-reconnect.md#ka7). Browsers cannot set the header on a WebSocket.
 */
export const isMicrosoftClient = ({ headers }: Request): boolean =>
  ["x-signalr-user-agent", "user-agent"].some((name) =>
    headers.get(name)?.includes("Microsoft SignalR/"),
  );
