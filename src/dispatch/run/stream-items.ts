// Sends the items of a stream that a hub has returned. A pause after every few items lets the event loop turn, so that
// a generator that never waits does not block the object. A slow reader slows down its stream.

import { isUnexpected } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { pause } from "../../rooms/platform/loop-timing.ts";
import type { Session } from "./session.ts";
import { untilCaughtUp } from "./slow-reader.ts";

/** The most items sent in one turn of the event loop, and the most characters of items. */
const ITEMS_PER_TURN = 16;
const CHARS_PER_TURN = 128 * 1024;

/** The receiver of the items. */
interface Sink {
  readonly session: Session;
  /** `hub.method`, for the log. */
  readonly name: string;
  /** Ends the stream when aborted. */
  readonly signal: AbortSignal;
  /** Sends an item, and returns its size in characters. Throws if it cannot be encoded, which ends the stream. */
  send(item: unknown): number;
}

/**
 * Resolves at the end of the stream or when `signal` is aborted, and rejects with the generator's error. A generator
 * that has not ended is stopped by `return`, which is not awaited, because its pending step may never settle.
 */
export async function streamItems(
  items: AsyncIterable<unknown>,
  { session, name, signal, send }: Sink,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  const nextOf = nextUntil(signal);
  let isDone = false;
  try {
    for (let sent = 1, size = 0; ; sent++) {
      const next = await nextOf(iterator);
      isDone = next?.done === true;
      if (!next || next.done) return;
      size += send(next.value);
      if (sent % ITEMS_PER_TURN !== 0 && size < CHARS_PER_TURN) continue;
      size = 0;
      await pause(session.host.clock, 0);
      await untilCaughtUp(session, () => signal.aborted);
    }
  } finally {
    if (!isDone) void endGenerator(iterator, name);
  }
}

/**
 * Reads an iterator's next result; undefined once the signal is aborted. One listener serves the whole stream: to race
 * each item against one long promise would keep a reaction in memory for every item until the stream ends.
 */
function nextUntil(signal: AbortSignal) {
  let abandon: (() => void) | undefined;
  signal.addEventListener("abort", () => abandon?.(), { once: true });
  return (iterator: AsyncIterator<unknown>) =>
    new Promise<IteratorResult<unknown> | undefined>((resolve, reject) => {
      abandon = () => resolve(undefined);
      if (signal.aborted) return abandon();
      iterator.next().then(resolve, reject);
    });
}

/** The call is over: only the log gets an error of the generator's end. */
async function endGenerator(iterator: AsyncIterator<unknown>, method: string): Promise<void> {
  try {
    await iterator.return?.();
  } catch (error) {
    if (isUnexpected(error)) logError("call_failed", { method, error });
  }
}
