// Back-pressure: streams, and calls of clients that may resume or that poll, wait until the client has taken most of what
// was sent to it.

import { queuedBytes } from "../../rooms/connection/socket-queue.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { Host } from "../../rooms/object/host.ts";
import { pause } from "../../rooms/platform/loop-timing.ts";

interface Reader {
  readonly connection: Connection;
  readonly host: Pick<Host, "clock" | "settings">;
}

/** Milliseconds between checks whether a slow reader has caught up. */
const RECHECK_MS = 20;

/**
 * Whether more than half of `queuedBytes` waits: for the next flush and on the connection's socket, for a client that
 * may resume or polls to confirm it, or for the reader of an event stream.
 */
export function isBehind({ connection, host }: Reader): boolean {
  const most = host.settings.limits.queuedBytes / 2;
  const { attached, flow, resumable } = connection;
  const untaken = attached.reportsTaken ? flow.untaken : 0;
  return flow.unsent + Math.max(queuedBytes(connection), resumable?.size ?? 0, untaken) > most;
}

/** Waits until the reader has caught up, or `isOver`. */
export async function caughtUp(reader: Reader, isOver: () => boolean): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one look after another
  while (isBehind(reader) && !isOver()) await pause(reader.host.clock, RECHECK_MS);
}
