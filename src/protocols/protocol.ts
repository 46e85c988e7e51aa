// What a codec is. Codecs are pure: frames in, messages out, and back; they know no sockets and no rooms.

import type { Outgoing, Received } from "../model/message.ts";
import type { Limits } from "../model/options.ts";

export type Frame = string | ArrayBuffer | Uint8Array;

export interface Protocol {
  /** Kept in a connection's attachment, so it never changes. */
  readonly name: string;
  /**
   * Never throws: what cannot be understood becomes a `malformed` message with `malformed`, `invalid_request`,
   * `too_large` or `too_deep`. Size is checked before parsing, depth before anything is built on the value.
   */
  decode(frame: string | ArrayBuffer, limits: Limits): Received;
  /** One record; records of a connection are joined into one frame. */
  encode(message: Outgoing): string;
  /** One frame of many records: frames cost, bytes hardly do (PERFORMANCE §2.4). */
  join(records: readonly string[]): string;
}
