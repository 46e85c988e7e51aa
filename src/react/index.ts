// Public API of `dormouse-hubs/react`: the hooks, and everything of `dormouse-hubs/client`, so that a component has one
// import.

export * from "../client/index.ts";
export { hubAt } from "../components/hub-at.ts";
export type { Held, HubAt, HubAtOptions, RoomConnection } from "../components/hub-at.ts";
export type { RoomReference } from "../components/live-values.ts";
export type { RoomCalls } from "../components/room-calls.ts";
export type { RoomHistory, RoomHistoryOptions, RoomMessage } from "../components/room-history.ts";
export { useHub } from "./use-hub.ts";
export type { HubRoom, UseHubOptions } from "./use-hub.ts";
export { useConnection, useHistory, usePresence } from "./use-room.ts";
export { useRoomState, useRun } from "./use-room-state.ts";
export type { Guesses } from "../state/state-types.ts";
