// Tests of hubs in memory, without the platform: `calling` has one caller and records the hub's messages; `world` has
// several callers, rooms and a clock; `callingRoom` runs the actions of a room.

export { calling } from "./calling.ts";
export type { Frame } from "../../client/transport/wire.ts";
export type { Called, Hooks, Setting, TestEnv } from "./calling-types.ts";
export type { Sending } from "./recording.ts";
export { world } from "./world.ts";
export type {
  Caller,
  CallerOptions,
  JoinOutcome,
  Joining,
  Received,
  World,
  WorldSetting,
} from "./world-types.ts";
export { callingRoom } from "./calling-room.ts";
export type { CalledRoom, RoomSetting, TestDatabase } from "./calling-room-types.ts";
