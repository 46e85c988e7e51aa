// Options of a session: those of `connect`, with every default filled in.

import type { Address } from "../model/room-address.ts";
import type { Backoff } from "../transport/backoff.ts";
import type { WebSocketClass } from "../platform/web-socket-class.ts";
import type { Token } from "../transport/credentials.ts";

/** The fields are described in connect-options.ts. */
export interface SessionOptions {
  readonly address: Address;
  readonly token: Token;
  readonly handlers: object | undefined;
  readonly queue: number;
  readonly maxRetries: number;
  readonly backoff: Backoff;
  readonly tokenSeconds: number;
  readonly messageBytes: number;
  readonly WebSocket: WebSocketClass | undefined;
}
