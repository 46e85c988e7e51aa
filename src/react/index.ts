// Hooks for React, on our own client. The client's words come along, so that a component imports from one place.

export * from "../client/index.ts";
export { hubAt } from "./hub-at.ts";
export type { Held, HubAt, HubAtOptions } from "./hub-at.ts";
export { useHub } from "./use-hub.ts";
export type { HubRoom, UseHubOptions } from "./use-hub.ts";
export { usePresence } from "./use-presence.ts";
