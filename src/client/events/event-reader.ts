// Reads one event stream after another, each from the position where the previous one was lost. Decides when the next
// attempt starts, and when no more follow.

import { HubError, shouldReconnect } from "../../model/errors.ts";
import { closeError } from "../model/close-error.ts";
import { delay } from "../platform/timeout.ts";
import { pauseMs, type Backoff } from "../transport/backoff.ts";
import { eventStream, ResponseError, type StreamRequest } from "./event-stream.ts";
import type { AnyRoomEvent } from "./room-event.ts";
import { StreamPosition } from "./stream-position.ts";
import type { ClientErrorCode } from "../model/client-errors.ts";

export interface ReaderOptions extends Pick<
  StreamRequest,
  "url" | "token" | "tokenSeconds" | "fetch"
> {
  readonly rooms: readonly string[];
  readonly since?: string;
  readonly signal?: AbortSignal;
  /** Failures in a row after which the reader gives up. */
  readonly maxRetries: number;
  readonly backoff: Backoff;
}

type AbortableOptions = ReaderOptions & { readonly signal: AbortSignal };

/** A stream that lasted this long after its first event resets the count of failures, and so the pauses. */
const STEADY_MS = 5_000;

/**
 * All events, with a `reconnecting` event before each pause. Never returns: it throws the error of the last stream
 * where no other may follow, and the signal's reason after an abort.
 */
export async function* readEvents(options: AbortableOptions): AsyncGenerator<AnyRoomEvent, void> {
  const { rooms, since, backoff, maxRetries, signal } = options;
  const position = new StreamPosition(rooms, since);
  let retryMs = 0;
  const onRetry = (ms: number) => void (retryMs = ms);
  for (let failures = 0; ; failures += 1) {
    const { error, isFinal, livedMs } = yield* readStream(position, { ...options, onRetry });
    if (livedMs >= STEADY_MS) failures = 0;
    if (signal.aborted || isFinal || failures >= maxRetries) throw error;
    const serverMs = Math.max(retryMs, error instanceof ResponseError ? error.retryMs : 0);
    const pause = Math.min(Math.max(serverMs, pauseMs(failures, backoff)), backoff.capMs);
    const retryAt = Date.now() + pause;
    yield { type: "reconnecting", error, retryAt };
    // The consumer may have held the loop since, so the rest of the pause is shorter.
    await delay(retryAt - Date.now(), signal);
  }
}

interface StreamEnd {
  readonly error: HubError;
  /** Another attempt would fail in the same way. */
  readonly isFinal: boolean;
  /** Milliseconds since the first event; negative infinity without one. */
  readonly livedMs: number;
}

/** The events of one stream; returns why it ended, and never throws. */
async function* readStream(
  position: StreamPosition,
  options: AbortableOptions & Pick<StreamRequest, "onRetry">,
): AsyncGenerator<AnyRoomEvent, StreamEnd> {
  let startedAt = Infinity;
  const end = (how: Omit<StreamEnd, "livedMs">): StreamEnd => ({
    ...how,
    livedMs: Date.now() - startedAt,
  });
  try {
    for await (const message of eventStream({ ...options, lastEventId: position.id })) {
      if (options.signal.aborted) break;
      startedAt = Math.min(startedAt, Date.now());
      const event = position.eventOf(message);
      if (event && "code" in event)
        return end({ error: closeError(event), isFinal: !shouldReconnect(event.code) });
      if (event) yield event;
    }
    return end({
      error: new HubError<ClientErrorCode>("disconnected", "The stream ended."),
      isFinal: false,
    });
  } catch (error) {
    return end({ error: hubErrorOf(error), isFinal: isFinalError(error, options) });
  }
}

/** `fetch` throws a TypeError for a failed network. Any other foreign error comes from reading an event. */
function hubErrorOf(cause: unknown): HubError {
  if (cause instanceof HubError) return cause;
  if (cause instanceof TypeError)
    return new HubError<ClientErrorCode>("disconnected", cause.message, { cause });
  return new HubError("malformed", "An event was not understood.", { cause });
}

/** Besides 5xx, the statuses after which a later attempt may succeed. */
const TRANSIENT_STATUSES = [408, 425, 429];

/** A refused token is final only if it is a fixed text: a token function may return a better one. */
function isFinalError(error: unknown, { token }: ReaderOptions): boolean {
  if (!(error instanceof ResponseError) || error.status >= 500) return false;
  if (error.status === 401) return typeof token === "string";
  return !TRANSIENT_STATUSES.includes(error.status);
}
