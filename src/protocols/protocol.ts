// What a codec is. Codecs are pure: frames in, messages out, and back; they know no sockets and no rooms.

import type { CloseCode } from "../model/errors.ts";
import type { Encoded, Outgoing, Received } from "../model/message.ts";
import type { Limits } from "../model/options.ts";

export type Frame = string | ArrayBuffer | Uint8Array;

/** `E` is what its records are: text, bytes, or either. */
export interface Protocol<E extends Encoded = Encoded> {
  /** Kept in a connection's attachment, so it never changes. */
  readonly name: string;
  /**
   * Never throws: what cannot be understood becomes a `malformed` message with `malformed`, `invalid_request`,
   * `too_large` or `too_deep`, or a `broken` one where the protocol cannot go on. Size is checked before parsing,
   * depth before anything is built on the value. `rest` is what the frame before left over.
   */
  decode(frame: string | ArrayBuffer, limits: Limits, rest?: string | Uint8Array): Received;
  /** One record; records of a connection are joined into one frame. Empty where the protocol has no such word. */
  encode(message: Outgoing): E;
  /** One frame of many records: frames cost, bytes hardly do (docs/design/performance.md#pe1). */
  join(records: readonly E[]): E;
  /** Its clients take one message a frame: most JSON-RPC libraries know no arrays but answers to batches. */
  readonly single?: boolean;
  /** Its clients hear what they asked for and nothing else: no stream, no question, nothing that a room says. */
  readonly answersOnly?: boolean;
  /** A heartbeat, where the protocol answers them with their like. */
  readonly ping?: E;
  /** How many messages that stateful reconnect counts are in a frame of ours. */
  count?(frame: E): number;
  /** The last record before the server closes a socket, where the close code alone would not tell the client why. */
  farewell?(why: CloseCode, detail?: string): E;
}
