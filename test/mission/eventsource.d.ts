// A dependency of SignalR's client, which it uses in Node.

declare module "eventsource" {
  const source: typeof EventSource;
  export default source;
}
