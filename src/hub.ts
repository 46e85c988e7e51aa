// The API in which hubs are written, for this project's hubs and for those of the package's users. It depends on no
// platform, so hubs can be tested anywhere; what needs Cloudflare Workers is in server.ts.

export {
  authorize,
  hub,
  method,
  returns,
  stream,
  streamOf,
} from "./dispatch/define/hub-definition.ts";
export { clientMethods } from "./dispatch/define/client-methods.ts";
export type { ClientMethod, ClientMethods } from "./dispatch/define/client-methods.ts";
export { action, internal } from "./dispatch/define/action-definition.ts";
export type { Action, Internal } from "./dispatch/define/action-definition.ts";
export type * from "./dispatch/define/action-context.ts";
export type { RoomName, RoomTypes, Saved, StateOptions } from "./dispatch/define/state-options.ts";
export type { Runs, StatefulRoom } from "./dispatch/define/stateful-room.ts";
export type {
  Answers,
  AnyHub,
  Arg,
  Handler,
  Hub,
  HubMember,
  HubOptions,
  HubSettings,
  Method,
  Received,
  Stream,
  StreamArg,
} from "./dispatch/define/hub-definition.ts";
export { anyone, claim, every, nobody, role, signedIn, some } from "./dispatch/define/policies.ts";
export type { Call, Policy, RoomRules } from "./dispatch/define/policies.ts";
export { feed, jsonRpc } from "./dispatch/define/hub-paths.ts";
export type { FeedEvent, FeedOptions, FeedRequest, HubPath } from "./dispatch/define/hub-paths.ts";
export { named } from "./dispatch/define/named-arguments.ts";
export type { Asks, CallerClients, Clients, Sends } from "./dispatch/define/hub-context.ts";
export type * from "./dispatch/define/hub-context.ts";
export type { Filter, FilteredCall } from "./dispatch/define/filters.ts";
export type {
  ActionsOf,
  ClientOf,
  HubCalls,
  PresenceStateOf,
  RoomOf,
  ViewOf,
} from "./dispatch/define/hub-types.ts";
export { OpenHubError as HubError } from "./model/errors.ts";
export type { ErrorCode } from "./model/errors.ts";
export type { Durability, History, Limits, PresenceMode } from "./model/options.ts";
export type { Position, RoomKind, Topic } from "./model/topic.ts";
export { isGuest, SERVICE_ROLE } from "./model/user.ts";
export type { User } from "./model/user.ts";
