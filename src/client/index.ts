// The client's public face: everything an application may import, and nothing else.

export { connect } from "./connect.ts";
export { events, type EventsOptions } from "./events/events.ts";
export { OpenHubError as HubError } from "../model/errors.ts";
export { typed, type StreamResult, type Typed } from "./signalr-types.ts";
export type { RoomText } from "./scope/room-address.ts";
export type { Backoff } from "./transport/backoff.ts";
export type { CallOptions } from "./session/pending-calls.ts";
export type { AnyConnection, Connection, HubConnection } from "./client-connection.ts";
export type { Joined } from "./scope/hub-scope.ts";
export type {
  ConnectOptions,
  HubConnectOptions,
  HandlerOf,
  HandlersOf,
  HistoryPage,
  HistoryQuery,
  Message,
  PresenceQuery,
  State,
  Token,
} from "./connect-options.ts";
export type { Member, Presence, PresenceChange, PresencePage } from "./scope/room-presence.ts";
export type {
  HelloEvent,
  PresenceEvent,
  ReconnectingEvent,
  ResetEvent,
  RoomEvent,
  SaidEvent,
} from "./events/room-event.ts";
export type { Listener, Unsubscribe } from "./session/emitter.ts";
export type { Left, Recovered } from "./scope/scope.ts";
export type { Greeting, Hello } from "./transport/wire.ts";
