// The public face for services: everything they may import, and nothing else.

export { backend } from "./backend.ts";
export { HubError } from "../../model/errors.ts";
export type { Sends } from "../../model/audiences.ts";
export type { RoomText } from "../address.ts";
export type { HistoryQuery, PresenceQuery, Token } from "../options.ts";
export type { PresencePage } from "../presence.ts";
export type { Invocable, OneClient, ServiceClients } from "./audiences.ts";
export type { Backend, Negotiation, PublishOptions, RoomEntry, RoomsQuery } from "./backend.ts";
export type {
  BackendOptions,
  CallOptions,
  Fetching,
  WithAccessKey,
  WithConnectionString,
  WithToken,
} from "./options.ts";
export type {
  GroupConnection,
  Revocation,
  ServiceConnection,
  ServiceGroup,
  ServiceUser,
} from "./people.ts";
export type { Ending, HubEntry, HubHistory, RoomInfo, ServiceRoom } from "./rooms.ts";
