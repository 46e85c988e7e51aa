// Sends the items of a stream, no faster than the loop turns: a generator that never waits must not stop the room.

import type { CallId } from "../model/message.ts";
import type { Session } from "./session.ts";

/** Items that may go out in one turn of the loop. */
const ITEMS_PER_TURN = 16;
const SLOW_READER_MS = 20;

/** Done when the stream is, or when it is cancelled; the generator is told to stop, and not waited for. */
export async function streamItems(
  session: Session,
  id: CallId,
  items: AsyncIterable<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  const cancelled = new Promise<"cancelled">((resolve) => {
    if (signal.aborted) resolve("cancelled");
    else signal.addEventListener("abort", () => resolve("cancelled"), { once: true });
  });
  for (let sent = 1; ; sent++) {
    const next = await Promise.race([iterator.next(), cancelled]);
    if (next === "cancelled") return stop(iterator);
    if (next.done) return;
    session.host.send(session.connection, { type: "item", id, item: next.value });
    if (sent % ITEMS_PER_TURN === 0) await readable(session, signal);
  }
}

/** Waits a turn of the loop, and while the reader has half of what it may leave waiting. */
async function readable({ connection, host }: Session, signal: AbortSignal): Promise<void> {
  const most = host.settings.limits.queuedBytes / 2;
  await scheduler.wait(0);
  while (!signal.aborted && host.queuedBytes(connection) > most)
    await scheduler.wait(SLOW_READER_MS);
}

function stop(iterator: AsyncIterator<unknown>): void {
  const stopped = iterator.return?.();
  // Nobody is left to hear how the generator ended.
  stopped?.catch(() => {});
}
