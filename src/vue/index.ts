// Public API of `dormouse/vue`: the composables, and everything of `dormouse/client`.

export * from "../client/index.ts";
export { hubAt } from "../components/hub-at.ts";
export type { HubAt, HubAtOptions, RoomConnection } from "../components/hub-at.ts";
export type { RoomHistory, RoomHistoryOptions, RoomMessage } from "../components/room-history.ts";
export { useHub, useHistory, usePresence } from "./composables.ts";
export type { Live, RoomSource } from "./composables.ts";
