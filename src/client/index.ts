// The client's public face: everything an application may import, and nothing else.

export { connect } from "./connect.ts";
export { events, type EventsOptions } from "./events.ts";
export { HubError } from "../model/errors.ts";
export { typed, type StreamResult, type Typed } from "./typed.ts";
export type { RoomText } from "./address.ts";
export type { Backoff } from "./backoff.ts";
export type { CallOptions } from "./calls.ts";
export type { AnyConnection, Connection, HubConnection } from "./connection.ts";
export type { Joined } from "./hub-place.ts";
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
} from "./options.ts";
export type { Member, Presence, PresenceChange, PresencePage } from "./presence.ts";
export type {
  HelloEvent,
  PresenceEvent,
  ReconnectingEvent,
  ResetEvent,
  RoomEvent,
  SaidEvent,
} from "./room-event.ts";
export type { Listener, Unsubscribe } from "./signal.ts";
export type { Left, Recovered } from "./place.ts";
export type { Greeting, Hello } from "./wire.ts";
