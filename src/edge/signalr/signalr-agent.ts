// How Microsoft's SignalR clients introduce themselves: in Node and .NET as the user agent, in browsers, which set that
// by themselves, in a header of their own.

/**
 * Whether the request says so. All clients that do ping by themselves (docs/design/signalr-reconnect.md#ka7). Browsers
 * cannot say it on a WebSocket.
 */
export const isMicrosoftClient = ({ headers }: Request): boolean =>
  ["x-signalr-user-agent", "user-agent"].some((name) =>
    headers.get(name)?.includes("Microsoft SignalR/"),
  );
