// Options of `connect`: for one room, and for a whole hub. Their default values are in model/client-defaults.ts.

import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { HandlersOf } from "./model/client-handlers.ts";
import type { RoomText } from "./model/room-address.ts";
import type { Backoff } from "./transport/backoff.ts";
import type { WebSocketClass } from "./platform/web-socket-class.ts";
import type { Token } from "./transport/credentials.ts";

/** Options of a connection to one room. */
export interface ConnectOptions<H extends AnyHub> extends HubConnectOptions<H> {
  /** Kind and name: `group:lobby`, `order:42`, `user:alice`. */
  readonly room: RoomText;
  /** The position of the application's own state (`epoch:offset`), if it has one: later messages are replayed. */
  readonly since?: string | undefined;
}

/** Options of a connection to a whole hub. */
export interface HubConnectOptions<H extends AnyHub> {
  /** Absent: the client is a guest, which only hubs that are `anonymous` admit. */
  readonly token?: Token | undefined;
  /** Handlers of the hub's client methods. `on` adds more. */
  readonly handlers?: HandlersOf<H> | undefined;
  /** The number of calls that may wait for a connection; one more is refused with `queue_full`. Default: 100. */
  readonly queue?: number | undefined;
  /**
   * Failed attempts in a row after which the connection closes. Default: no limit, since a browser cannot distinguish a
   * refused handshake from a lost network.
   */
  readonly maxRetries?: number | undefined;
  /** Pauses between attempts, with full jitter. Default: 1 s at first, doubling to 30 s. */
  readonly backoff?: Partial<Backoff> | undefined;
  /** Time limit of the token function, in seconds. Default: 30. */
  readonly tokenSeconds?: number | undefined;
  /** Size limit of a message, in bytes. To be set if the hub has another limit than the default, 32 KiB. */
  readonly messageBytes?: number | undefined;
  /** A WebSocket class to use instead of the global one. Node before 22 has none: there, pass that of `ws`. */
  readonly WebSocket?: WebSocketClass | undefined;
}
