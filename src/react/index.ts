// Public API of `dormouse/react`: the hooks, and everything of `dormouse/client`, so that a component has one import.

export * from "../client/index.ts";
export { hubAt } from "./hub-at.ts";
export type { Held, HubAt, HubAtOptions } from "./hub-at.ts";
export { useHub } from "./use-hub.ts";
export type { HubRoom, UseHubOptions } from "./use-hub.ts";
export { usePresence } from "./use-presence.ts";
