// The interface of a codec. Codecs are pure: frames → messages, and messages → records → frames. They know neither
// sockets nor rooms.

import type { CloseCode } from "../model/errors.ts";
import type { Encoded, Outgoing, Received } from "../model/message.ts";
import type { Limits } from "../model/options.ts";
import type { StateNames } from "../model/state-wire.ts";

export type Frame = string | ArrayBuffer | Uint8Array;

/** A codec. `E` is the type of its records: text, bytes, or either. */
export interface Protocol<E extends Encoded = Encoded> {
  /** Stored in the connection's attachment, so it must never change. */
  readonly name: string;
  /**
   * Decodes one frame. Never throws: a refused message becomes `malformed`, with the code `malformed`,
   * `invalid_request`, `too_large` or `too_deep`; if the stream cannot be read any further, it becomes `broken`. Size
   * is checked before parsing, depth before values are built. `rest`: the unread rest of the last frame.
   */
  decode(frame: string | ArrayBuffer, limits: Limits, rest?: string | Uint8Array): Received;
  /** Encodes one message as a record. Empty if the protocol has no such message. `names`: the hub's. */
  encode(message: Outgoing, names?: StateNames): E;
  /**
   * Joins records into one frame, in order: frames are expensive, bytes are not (docs/design/performance.md#pe1).
   */
  join(records: readonly E[]): E;
  /**
   * How values bind to schemas: as in ASP.NET Core's protocol of this name, or as in JSON-RPC, where whole numbers bind
   * to schemas of bigints, and all other values must have the exact type.
   */
  readonly binding: "json" | "msgpack" | "json-rpc";
  /** Whether clients accept only one message per frame, as most JSON-RPC libraries do outside batches. */
  readonly single?: boolean;
  /** Whether clients receive only answers: no streams, no calls by the server, no publications. */
  readonly answersOnly?: boolean;
  /** The server's heartbeat, if the protocol has one. */
  readonly ping?: E;
  /** The number of messages in an encoded frame that stateful reconnect counts. */
  count?(frame: E): number;
  /** The last record before the server closes a socket, if the close code alone does not reach the client. */
  farewell?(why: CloseCode, detail?: string): E;
}
