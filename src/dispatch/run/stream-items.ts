// Sends the items of a stream that a hub returned. A pause after every few items lets the event loop turn, so that a
// generator that never waits does not block the object; and a slow reader slows its stream.

import { queuedBytes } from "../../rooms/connection/connection-table.ts";
import type { Session } from "./session.ts";

/** Items sent in one turn of the event loop. */
const ITEMS_PER_TURN = 16;
/** Milliseconds between checks whether a slow reader has caught up. */
const SLOW_READER_MS = 20;

/** The receiver of the items. */
interface Sink {
  readonly session: Session;
  /** Ends the stream when aborted. */
  readonly signal: AbortSignal;
  /** Throws what cannot be encoded; that ends the stream. */
  send(item: unknown): void;
}

/**
 * Resolves at the end of the stream or when `signal` is aborted, and rejects with what the generator throws. A
 * generator that has not ended is stopped by `return`, which is not awaited: its pending step may never settle.
 */
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
      if (sent % ITEMS_PER_TURN === 0) await readerReady(session, signal);
    }
  } finally {
    if (!isDone) void endGenerator(iterator);
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

/** Waits for one turn of the event loop, then until less than half of `queuedBytes` is unsent on the connection. */
async function readerReady({ connection, host }: Session, signal: AbortSignal): Promise<void> {
  const maxUnsent = host.settings.limits.queuedBytes / 2;
  await scheduler.wait(0);
  while (!signal.aborted && queuedBytes(connection) > maxUnsent)
    await scheduler.wait(SLOW_READER_MS);
}

async function endGenerator(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // The call is over, so there is no caller to report the generator's last error to.
  }
}
