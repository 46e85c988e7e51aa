// The rooms of a stream: how the socket to each is opened, and at which position its client continues.

import type { Limits } from "../../model/options.ts";
import { formatTopic } from "../../model/topic.ts";
import { openRoom, type Entrant } from "../admit/admission.ts";
import type { Serving } from "../admit/serving.ts";
import { socketOf } from "./room-socket.ts";
import type { FrameCache } from "./shared-frames.ts";

/** Handlers of streams also share the isolate's encoded frames. */
export interface StreamServing extends Serving {
  readonly frames: FrameCache;
}

/** One room of a stream. */
export interface RoomSource {
  /** As a topic. */
  readonly room: string;
  /** The client's position, as text; if empty or undefined, the stream begins with the present. */
  readonly since: string | undefined;
  /** Opens a socket that continues after a position. Throws the refusal of the room or its relays. */
  open(since: string | undefined): Promise<WebSocket>;
}

/** When a stream that begins now ends, in milliseconds since 1970: at random up to a tenth sooner or later. */
export const endOfStream = (
  { streamSeconds }: Pick<Limits, "streamSeconds">,
  now: number,
): number => now + streamSeconds * 1000 * (0.9 + Math.random() / 5);

/** The most rooms of one stream. Each needs a socket of the worker for as long as the stream lasts. */
export const ROOMS_AT_MOST = 20;

/**
 * The source of a room that a client was admitted to. Admission is not repeated for a reconnect: the room's object
 * checks the token's expiry, and closes the socket of a token that was revoked.
 */
export const sourceOf = (entrant: Entrant, since: string | undefined): RoomSource => ({
  room: formatTopic(entrant.topic),
  since,
  open: async (last) => socketOf(await openRoom(entrant, { since: last })),
});
