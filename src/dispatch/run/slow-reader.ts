// Back-pressure: streams, and calls of SignalR's clients, wait until the client has read most of the data sent to it.

import { REPORT_EACH } from "../../model/wire-constants.ts";
import { queuedBytes } from "../../rooms/connection/socket-queue.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { Host } from "../../rooms/object/host.ts";
import { pause } from "../../rooms/platform/loop-timing.ts";

interface Reader {
  readonly connection: Connection;
  readonly host: Pick<Host, "clock" | "settings">;
  readonly unsentChars: number;
}

/** Milliseconds between checks whether a slow reader has caught up. */
const RECHECK_MS = 20;

/**
 * Whether more than half of `queuedBytes` waits: for the next flush and on the connection's socket, for a client that
 * may resume or polls to confirm it, or for the reader of an event stream. Answers in JSON-RPC do not count before the
 * flush: those to a batch are sent together.
 */
export function isBehind({ connection, host, unsentChars }: Reader): boolean {
  const most = host.settings.limits.queuedBytes / 2;
  const { attached, flow, protocol, resumable } = connection;
  const unsent = flow.unsent + (protocol.binding === "json-rpc" ? 0 : unsentChars);
  // What was read since the last report is unknown: with a small `queuedBytes` no next report would come.
  const untaken = attached.reportsTaken ? flow.untaken - REPORT_EACH : 0;
  return unsent + Math.max(queuedBytes(connection), resumable?.size ?? 0, untaken) > most;
}

/** Waits until the reader has caught up, or `isOver`. */
export async function untilCaughtUp(reader: Reader, isOver: () => boolean): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one look after another
  while (isBehind(reader) && !isOver()) await pause(reader.host.clock, RECHECK_MS);
}
