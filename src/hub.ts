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
export type {
  ClientMethod,
  ClientMethods,
  DeclaredClientMethod,
} from "./dispatch/define/client-methods.ts";
export { action, internal } from "./dispatch/define/action-definition.ts";
export type {
  Action,
  ActionRun,
  Internal,
  InternalRun,
} from "./dispatch/define/action-definition.ts";
export type * from "./dispatch/define/action-context.ts";
export type { RoomBuilder } from "./dispatch/define/room-builder.ts";
export type { RoomName, RoomTypes, Saved, StateOptions } from "./dispatch/define/state-options.ts";
export type {
  ContextOf,
  Runs,
  StatefulContext,
  StatefulRoom,
  WithState,
} from "./dispatch/define/stateful-room.ts";
export type {
  Answers,
  AnyHub,
  Arg,
  Handler,
  Hub,
  HubMember,
  HubOptions,
  HubBuilder,
  HubSettings,
  MemberDeclarations,
  MemberFactories,
  Method,
  Received,
  Stream,
  StreamArg,
} from "./dispatch/define/hub-definition.ts";
export { anyone, claim, every, nobody, role, signedIn, some } from "./dispatch/define/policies.ts";
export type { Awaitable, Call, Policy, RoomRules } from "./dispatch/define/policies.ts";
export { feed, jsonRpc } from "./dispatch/define/hub-paths.ts";
export type {
  FeedEvent,
  FeedOptions,
  FeedPath,
  FeedRequest,
  HubPath,
  JsonRpcPath,
} from "./dispatch/define/hub-paths.ts";
export { named } from "./dispatch/define/named-arguments.ts";
export type { NamedSchema } from "./dispatch/define/named-arguments.ts";
export type { Asks, CallerClients, Clients, Sends } from "./dispatch/define/hub-context.ts";
export type * from "./dispatch/define/hub-context.ts";
export type { Filter, FilteredCall } from "./dispatch/define/filters.ts";
export type {
  ActionsOf,
  ClientOf,
  HubCalls,
  Invokes,
  PresenceStateOf,
  RoomOf,
  SendMethods,
  Streams,
  ViewOf,
  Wire,
} from "./dispatch/define/hub-types.ts";
export { OpenHubError as HubError } from "./model/errors.ts";
export type { ErrorCode, HubError as HubErrorOf } from "./model/errors.ts";
export type { ConnectRequest } from "./model/client-request.ts";
export type { Durability, History, Limits, PresenceMode } from "./model/options.ts";
export type { Position, RoomKind, Topic } from "./model/topic.ts";
export { isGuest, SERVICE_ROLE } from "./model/user.ts";
export type { Capability, Grant, Right, TokenLimits, User } from "./model/user.ts";
