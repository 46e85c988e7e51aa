// Public API of `dormouse-hubs/state`: `connect` with the state of rooms, and everything of `dormouse-hubs/client`.

export * from "../client/index.ts";
export { connect } from "./connect-with-state.ts";
export type {
  StatefulConnection,
  StatefulConnectOptions,
  StatefulHubConnection,
} from "./connect-with-state.ts";
export { applyPatch } from "../model/merge-patch.ts";
export { stateOf, type StateConnection } from "./state-of.ts";
export type { Guesses, RoomState, RunOptions, StateOptions } from "./state-types.ts";
export type { ActionsOf, ViewOf } from "../dispatch/define/hub-types.ts";
export type { Runs } from "../dispatch/define/stateful-room.ts";
