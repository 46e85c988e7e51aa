// The bytes that wait in the runtime to be sent on a socket.

import type { Connection } from "./connection.ts";

/** `bufferedAmount` is in workerd from 2026-11-17 on; before, it cannot be known, and nothing is dropped. */
export const queuedBytes = ({ socket }: Pick<Connection, "socket">): number =>
  (socket as (WebSocket & { bufferedAmount?: number }) | undefined)?.bufferedAmount ?? 0;

/** The queue is checked again after this part of the limit was written. */
const LOOK_AFTER = 1 / 8;

/**
 * Whether more than `most` bytes wait in the socket's queue. Reading its size costs a tenth of a write, so callers do
 * it only when `flow.written` has reached `flow.lookAt`.
 */
export function isSlow(connection: Pick<Connection, "flow" | "socket">, most: number): boolean {
  const { flow } = connection;
  flow.lookAt = flow.written + most * LOOK_AFTER;
  return queuedBytes(connection) > most;
}
