// Public API of `dormouse-hubs/client`. Applications import from here and from no other file of this folder.

export { connect } from "./connect.ts";
export { roomOf, type RoomViewOptions } from "./room-view.ts";
export { events, type EventsOptions } from "./events/events.ts";
export { OpenHubError as HubError } from "../model/errors.ts";
export type { HubError as HubErrorOf } from "../model/errors.ts";
export { typed } from "./signalr-types.ts";
export type { Lifecycle, SignalRConnection, StreamResult, Typed } from "./signalr-types.ts";
export type { RemoteHub, RemoteMembers } from "./remote-hub.ts";
export type { RoomText } from "./model/room-address.ts";
export type { Backoff } from "./transport/backoff.ts";
export type { Token } from "./transport/credentials.ts";
export type { CallOptions } from "./session/pending-calls.ts";
export type { AnyConnection, Connection, HubConnection } from "./client-connection.ts";
export type { Joined } from "./scope/hub-scope.ts";
export type { ConnectOptions, HubConnectOptions } from "./connect-options.ts";
export type { HandlerOf, HandlersOf } from "./model/client-handlers.ts";
export type {
  HistoryPage,
  HistoryQuery,
  HubMessage,
  Message,
  SavedMessage,
} from "./model/client-messages.ts";
export type { State } from "./model/client-state.ts";
export type {
  Member,
  Presence,
  PresenceChange,
  PresencePage,
  PresenceQuery,
} from "./model/room-presence.ts";
export type {
  HelloEvent,
  PresenceEvent,
  ReconnectingEvent,
  ResetEvent,
  RoomEvent,
  SaidEvent,
  StateEvent,
} from "./events/room-event.ts";
export type { Listener, Unsubscribe } from "./platform/emitter.ts";
export type { Left, Recovered } from "./scope/scope.ts";
export type { WebSocketClass } from "./platform/web-socket-class.ts";
export type { Greeting, Hello, RoomGreeting } from "./transport/wire.ts";
