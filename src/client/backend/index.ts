// Public API of `dormouse-hubs/backend`. Services import from here and from no other file of this folder.

export { backend } from "./backend.ts";
export { OpenHubError as HubError } from "../../model/errors.ts";
export type { HubError as HubErrorOf } from "../../model/errors.ts";
export type { Sends } from "../../model/audiences.ts";
export type { HistoryQuery } from "../model/client-messages.ts";
export type { RoomText } from "../model/room-address.ts";
export type { PresencePage, PresenceQuery } from "../model/room-presence.ts";
export type { Token } from "../transport/credentials.ts";
export type { Invocable, OneClient, ServiceClients } from "./service-audiences.ts";
export type { Backend, Negotiation } from "./backend.ts";
export type {
  ExportedRoom,
  RoomRuns,
  StatefulServiceRoom,
  WithRoomState,
} from "./backend-states.ts";
export type { ScheduledAction, StateSnapshot } from "../../model/state-wire.ts";
export type { HubService, PublishOptions, RoomEntry, RoomsQuery } from "./hub-service.ts";
export type {
  BackendOptions,
  CallOptions,
  Fetching,
  WithAccessKey,
  WithConnectionString,
  WithToken,
} from "./backend-options.ts";
export type {
  GroupConnection,
  Revocation,
  ServiceConnection,
  ServiceGroup,
  ServiceUser,
} from "./groups-and-users.ts";
export type { Ending, HubEntry, HubHistory, RoomInfo, ServiceRoom } from "./backend-rooms.ts";
