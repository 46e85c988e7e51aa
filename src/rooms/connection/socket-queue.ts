// The bytes that wait in the runtime to be sent on a socket.

import type { Connection } from "./connection.ts";

/** `bufferedAmount` is in workerd from 2026-11-17 on; before, it cannot be known, and nothing is dropped. */
export const queuedBytes = ({ socket }: Pick<Connection, "socket">): number =>
  (socket as (WebSocket & { bufferedAmount?: number }) | undefined)?.bufferedAmount ?? 0;

/** Part of the limit after which a reader's queue is looked at again. */
const LOOK_AFTER = 1 / 8;

/**
 * Reading the size of the socket's queue costs a tenth of a write, so it is asked for once for so many characters:
 * where `flow.written` has come to `flow.lookAt`.
 */
export function isSlow(connection: Pick<Connection, "flow" | "socket">, most: number): boolean {
  const { flow } = connection;
  flow.lookAt = flow.written + most * LOOK_AFTER;
  return queuedBytes(connection) > most;
}
