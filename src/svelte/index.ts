// Public API of `dormouse/svelte`: the stores, and everything of `dormouse/client`.

export * from "../client/index.ts";
export { hubAt } from "../components/hub-at.ts";
export type { HubAt, HubAtOptions, RoomConnection } from "../components/hub-at.ts";
export type { RoomHistory, RoomHistoryOptions, RoomMessage } from "../components/room-history.ts";
export { historyStore, presenceStore, roomStore } from "./stores.ts";
export type { Readable } from "./stores.ts";
