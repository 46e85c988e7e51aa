// The public face for services: everything they may import, and nothing else.

export { backend } from "./backend.ts";
export { OpenHubError as HubError } from "../../model/errors.ts";
export type { Sends } from "../../model/audiences.ts";
export type { RoomText } from "../scope/room-address.ts";
export type { HistoryQuery, PresenceQuery, Token } from "../connect-options.ts";
export type { PresencePage } from "../scope/room-presence.ts";
export type { Invocable, OneClient, ServiceClients } from "./service-audiences.ts";
export type { Backend, Negotiation, PublishOptions, RoomEntry, RoomsQuery } from "./backend.ts";
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
