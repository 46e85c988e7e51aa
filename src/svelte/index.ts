// Public API of `dormouse-hubs/svelte`: the stores, and everything of `dormouse-hubs/client`.

export * from "../client/index.ts";
export { hubAt } from "../components/hub-at.ts";
export type { Held, HubAt, HubAtOptions, RoomConnection } from "../components/hub-at.ts";
export type { RoomCalls } from "../components/room-calls.ts";
export type { RoomHistory, RoomHistoryOptions, RoomMessage } from "../components/room-history.ts";
export { historyStore, presenceStore, roomStore, stateStore } from "./stores.ts";
export type { Readable, StateStore } from "./stores.ts";
export type { Guesses } from "../state/state-types.ts";
