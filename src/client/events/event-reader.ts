// One event stream after another, each from where the one before was lost: what is heard, when the next attempt comes,
// and when there is none.

import { HubError, shouldReconnect } from "../../model/errors.ts";
import type { ClientErrorCode } from "../client-errors.ts";
import { pauseMs, type Backoff } from "../transport/backoff.ts";
import { closeError } from "../session/close-error.ts";
import { eventStream, Refused, type StreamRequest } from "./event-stream.ts";
import { pause } from "../transport/timeout.ts";
import type { AnyRoomEvent } from "./room-event.ts";
import { Standing } from "./stream-position.ts";

export interface Reading extends Pick<StreamRequest, "url" | "token" | "tokenSeconds" | "fetch"> {
  readonly rooms: readonly string[];
  readonly since?: string;
  readonly signal?: AbortSignal;
  /** Failures in a row after which it gives up. */
  readonly maxRetries: number;
  readonly backoff: Backoff;
}

type Endable = Reading & { readonly signal: AbortSignal };

/** A stream that lived as long was a good one: the next failure is the first again. */
const STEADY_MS = 5_000;

/** Throws why the last stream ended, where no other may follow it. */
export async function* keptUp(reading: Endable): AsyncGenerator<AnyRoomEvent, void> {
  const { rooms, since, backoff, maxRetries, signal } = reading;
  const standing = new Standing(rooms, since);
  let retryMs = 0;
  const retry = (ms: number) => void (retryMs = ms);
  for (let failures = 0; ; failures += 1) {
    const { error, isFinal, livedMs } = yield* attempt(standing, { ...reading, retry });
    if (livedMs >= STEADY_MS) failures = 0;
    if (signal.aborted || isFinal || failures >= maxRetries) throw error;
    const asked = Math.max(retryMs, error instanceof Refused ? error.retryMs : 0);
    const retryAt = Date.now() + pausing(failures, asked, backoff);
    yield { type: "reconnecting", error, retryAt };
    await pause(retryAt - Date.now(), signal);
  }
}

/** What the server asks for has its chance in it already. */
const pausing = (failures: number, askedMs: number, backoff: Backoff): number =>
  Math.min(Math.max(askedMs, pauseMs(failures, backoff)), backoff.capMs);

interface Loss {
  readonly error: HubError;
  readonly isFinal: boolean;
  /** Since the first event. */
  readonly livedMs: number;
}

async function* attempt(
  standing: Standing,
  reading: Endable & Pick<StreamRequest, "retry">,
): AsyncGenerator<AnyRoomEvent, Loss> {
  let beganAt = Infinity;
  const loss = (how: Omit<Loss, "livedMs">): Loss => ({ ...how, livedMs: Date.now() - beganAt });
  try {
    for await (const message of eventStream({ ...reading, lastEventId: standing.id })) {
      if (reading.signal.aborted) break;
      beganAt = Math.min(beganAt, Date.now());
      const event = standing.hear(message);
      if (event && "code" in event)
        return loss({ error: closeError(event), isFinal: !shouldReconnect(event.code) });
      if (event) yield event;
    }
    return loss({
      error: new HubError<ClientErrorCode>("disconnected", "The stream ended."),
      isFinal: false,
    });
  } catch (error) {
    return loss({ error: hubErrorOf(error), isFinal: isForGood(error, reading) });
  }
}

/** What is not ours is the network's, or makes no sense. */
function hubErrorOf(cause: unknown): HubError {
  if (cause instanceof HubError) return cause;
  if (cause instanceof TypeError)
    return new HubError<ClientErrorCode>("disconnected", cause.message, { cause });
  return new HubError("malformed", "An event was not understood.", { cause });
}

/** Answers that may be better another time; a token may, where there can be another. */
const PASSING = [408, 425, 429];

function isForGood(error: unknown, { token }: Reading): boolean {
  if (!(error instanceof Refused) || error.status >= 500) return false;
  if (error.status === 401) return typeof token === "string";
  return !PASSING.includes(error.status);
}
