// Heartbeats of streams and sessions: proxies close connections that are silent, and a write is how the server
// notices a caller that has vanished.

import { create } from "@bufbuild/protobuf";
import { HeartbeatSchema } from "../../protocols/proto/dormouse/v1/hub_pb.ts";

export const HEARTBEAT_MS = 15_000;
/** The size at which queues count a small message, roughly: heartbeats must not fill a queue unnoticed. */
export const SMALL_MESSAGE_BYTES = 64;

/** The `oneof` case of a heartbeat, equal in the responses of streams and sessions. */
export const heartbeat = () => ({ case: "heartbeat", value: create(HeartbeatSchema) }) as const;
