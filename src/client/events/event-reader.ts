// Reads one event stream after another, each from the position where the previous one was lost. Decides when the next
// attempt starts, and when no more follow.

import { HubError, shouldReconnect } from "../../model/errors.ts";
import { closeError } from "../model/close-error.ts";
import { Refusals } from "../model/refusal.ts";
import { delay } from "../platform/timeout.ts";
import { pauseMs, type Backoff } from "../transport/backoff.ts";
import { hasFailed } from "../transport/credentials.ts";
import { eventStream, type StreamRequest } from "./event-stream.ts";
import type { AnyRoomEvent } from "./room-event.ts";
import { StreamPosition } from "./stream-position.ts";
import type { ClientErrorCode } from "../model/client-errors.ts";

export interface ReaderOptions extends Pick<
  StreamRequest,
  "url" | "token" | "tokenSeconds" | "fetch"
> {
  readonly rooms: readonly string[];
  readonly since?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Failures in a row after which the reader gives up. */
  readonly maxRetries: number;
  readonly backoff: Backoff;
}

type AbortableOptions = ReaderOptions & { readonly signal: AbortSignal };

/** A stream that lasted this long after its first event resets the count of failures, and so the pauses. */
const STEADY_MS = 5_000;

/**
 * All events, with a `reconnecting` event before each pause. Never returns: throws the error of a stream after which no
 * other may follow, or the signal's reason after an abort.
 */
export async function* readEvents(options: AbortableOptions): AsyncGenerator<AnyRoomEvent, void> {
  const { rooms, since, backoff, maxRetries, signal } = options;
  const position = new StreamPosition(rooms, since);
  const refusals = new Refusals(options.token);
  let retryMs = 0;
  const onRetry = (ms: number) => void (retryMs = ms);
  for (let failures = 0; ; failures += 1) {
    const { error, isFinal, livedMs } = yield* readStream(position, { ...options, onRetry });
    if (livedMs >= STEADY_MS) failures = 0;
    if (livedMs >= 0) refusals.admitted();
    const isOver = isFinal || !refusals.mayReturn(error) || failures >= maxRetries;
    if (signal.aborted || isOver) throw error;
    const serverMs = Math.min(retryMs, backoff.capMs);
    const pause = Math.max(serverMs, pauseMs(failures, backoff, error));
    const retryAt = Date.now() + pause;
    yield { type: "reconnecting", error, retryAt };
    // Less than the whole pause, if the consumer has handled the event for some time. Never more, although the clock may
    // have been set back meanwhile.
    await delay(Math.min(pause, retryAt - Date.now()), signal);
  }
}

interface StreamEnd {
  readonly error: HubError;
  /** Another attempt would fail in the same way. */
  readonly isFinal: boolean;
  /** Milliseconds since the first event; negative infinity without one. */
  readonly livedMs: number;
}

/** The events of one stream. Returns the reason why it ended; never throws. */
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
    const shown = hubErrorOf(error, options);
    return end({ error: shown, isFinal: shown.code === "no_token" && !hasFailed(shown) });
  }
}

/**
 * `fetch` throws a TypeError if the network fails. Any other error that is not a HubError comes from a malformed event.
 */
function hubErrorOf(cause: unknown, { url }: ReaderOptions): HubError {
  if (cause instanceof HubError) return cause;
  if (cause instanceof TypeError)
    return new HubError<ClientErrorCode>("disconnected", cause.message + hintFor(url), { cause });
  return new HubError("malformed", "An event could not be read.", { cause });
}

/** A hint for servers of another origin: browsers hide from a page why such a server refused, and even that it did. */
function hintFor(url: string): string {
  const { origin } = (globalThis as { location?: { readonly origin?: string } }).location ?? {};
  return !origin || url.startsWith(`${origin}/`)
    ? ""
    : `. The network is down, or ALLOWED_ORIGINS of the server does not name ${origin}`;
}
