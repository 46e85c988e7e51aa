// The rooms of a stream: where each is opened, and at which position its client continues.

import type { Limits } from "../../model/options.ts";
import { formatTopic } from "../../model/topic.ts";
import { openRoom, type Entrant } from "../admit/admission.ts";
import type { Serving } from "../admit/serving.ts";
import { socketOf } from "./room-socket.ts";
import type { FrameCache } from "./shared-frames.ts";

/** A door that serves streams also has the isolate's frames. */
export interface StreamServing extends Serving {
  readonly frames: FrameCache;
}

/** One room of a stream. */
export interface RoomSource {
  /** As a topic. */
  readonly room: string;
  /** The client's position, as text; empty and undefined both begin with the present. */
  readonly since: string | undefined;
  /** Opens a socket that continues after a position. Throws what the room or its relays refuse with. */
  open(since: string | undefined): Promise<WebSocket>;
}

/** When a stream that begins now ends, milliseconds since 1970: by chance a tenth sooner or later than others. */
export const endOfStream = (
  { streamSeconds }: Pick<Limits, "streamSeconds">,
  now: number,
): number => now + streamSeconds * 1000 * (0.9 + Math.random() / 5);

/** Rooms of one stream. Each is a socket of the worker's for as long as the stream lasts. */
export const ROOMS_AT_MOST = 20;

/**
 * The source of a room that a client was admitted to. Admission is not repeated for a reconnect: the room's object
 * checks the token's expiry, and closes the socket of a token that was revoked.
 */
export function sourceOf(
  entrant: Entrant,
  since: string | undefined,
  serving: Serving,
): RoomSource {
  return {
    room: formatTopic(entrant.topic),
    since,
    open: async (last) => socketOf(await openRoom(serving, entrant, { since: last })),
  };
}
