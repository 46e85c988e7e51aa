// Reads the items of a stream, no faster than the loop turns: a generator that never waits must not stop the room.

import { queuedBytes } from "../../rooms/connection/connection-table.ts";
import type { Session } from "./session.ts";

/** Items that may go out in one turn of the loop. */
const ITEMS_PER_TURN = 16;
const SLOW_READER_MS = 20;

interface Sink {
  readonly session: Session;
  readonly signal: AbortSignal;
  send(item: unknown): void;
}

/** Done when the stream is, or when it is cancelled; the generator is told to stop, and not waited for. */
export async function streamItems(
  items: AsyncIterable<unknown>,
  { session, signal, send }: Sink,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  const nextOf = nextUntil(signal);
  let isDone = false;
  try {
    for (let sent = 1; ; sent++) {
      const next = await nextOf(iterator);
      isDone = next?.done === true;
      if (!next || next.done) return;
      send(next.value);
      if (sent % ITEMS_PER_TURN === 0) await readable(session, signal);
    }
  } finally {
    if (!isDone) void stop(iterator);
  }
}

/**
 * The iterator's next result, or undefined once the signal is aborted. One listener for the whole stream: racing
 * each item against one long promise would keep a reaction for every item until the stream ends.
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

/** Waits a turn of the loop, and while the reader has half of what it may leave waiting. */
async function readable({ connection, host }: Session, signal: AbortSignal): Promise<void> {
  const most = host.settings.limits.queuedBytes / 2;
  await scheduler.wait(0);
  while (!signal.aborted && queuedBytes(connection) > most) await scheduler.wait(SLOW_READER_MS);
}

async function stop(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // Nobody is left to hear how the generator ended.
  }
}
