// Heartbeats of streams and sessions: proxies close connections that are silent, and a write is how the server
// notices a caller that has vanished.

import { create } from "@bufbuild/protobuf";
import { HeartbeatSchema } from "../../protocols/proto/dormouse/v1/hub_pb.ts";

export const HEARTBEAT_MS = 15_000;
/** Bytes of a small message in a queue, roughly: heartbeats must not fill it unnoticed. */
export const SMALL_MESSAGE_BYTES = 64;

/** The case of a `oneof`, alike in both responses. */
export const heartbeat = () => ({ case: "heartbeat", value: create(HeartbeatSchema) }) as const;
