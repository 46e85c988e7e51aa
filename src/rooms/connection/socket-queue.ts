// What waits in the runtime to be sent on a socket.

import type { Connection } from "./connection.ts";

/** `bufferedAmount` is in workerd from 2026-11-17 on; before, it cannot be known, and nothing is dropped. */
export const queuedBytes = ({ socket }: Pick<Connection, "socket">): number =>
  (socket as (WebSocket & { bufferedAmount?: number }) | undefined)?.bufferedAmount ?? 0;
