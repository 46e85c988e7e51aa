// Public API of `dormouse-hubs/vue`: the composables, and everything of `dormouse-hubs/client`.

export * from "../client/index.ts";
export { hubAt } from "../components/hub-at.ts";
export type { Held, HubAt, HubAtOptions, RoomConnection } from "../components/hub-at.ts";
export type { RoomCalls } from "../components/room-calls.ts";
export type { RoomHistory, RoomHistoryOptions, RoomMessage } from "../components/room-history.ts";
export { useHub, useHistory, usePresence, useRoomState, useRun } from "./composables.ts";
export type { Live, RoomSource } from "./composables.ts";
export type { Guesses } from "../state/state-types.ts";
