// Messages between a client and a hub, independent of the protocol. Codecs (protocols/) turn frames into these and
// back.

import type { HubError } from "./errors.ts";

/**
 * An invocation's id, chosen by the caller. JSON-RPC allows strings, numbers and (discouraged) null; SignalR strings.
 */
export type CallId = string | number | null;

/** A placeholder among the arguments for a stream that the client will send. */
export class StreamRef {
  readonly id: string;
  constructor(id: string) {
    this.id = id;
  }
}

/** A call of a hub method, or the start of a stream. Without an id the client expects no answer. */
export interface Invocation {
  readonly type: "invocation";
  readonly id?: CallId;
  readonly target: string;
  readonly args: readonly unknown[];
  /** Calls repeated with the same key publish once, as long as the rooms' logs keep the key. */
  readonly idempotencyKey?: string;
  /** Client streams, in the order in which the method takes them; `args` has no placeholders then. */
  readonly streamIds?: readonly string[];
  /** Whether the client expects stream items. Absent if the protocol does not distinguish. */
  readonly streaming?: boolean;
  /** `args` is one object of arguments by name, whose order the hub knows. */
  readonly byName?: true;
  /** Whether the target is compared without regard to case, as SignalR does. */
  readonly anyCase?: boolean;
  /** Why the arguments could not be read: the call fails when they would be bound, and `args` is empty. */
  readonly unreadable?: HubError;
}

export type Incoming =
  | Invocation
  | { readonly type: "item"; readonly stream: string; readonly item: unknown }
  | { readonly type: "end"; readonly stream: string; readonly error?: string }
  | { readonly type: "cancel"; readonly id: CallId }
  | { readonly type: "answer"; readonly id: CallId; readonly result: unknown }
  | { readonly type: "refusal"; readonly id: CallId; readonly message: string }
  /**
   * The end of a client stream, or the client's answer to a call: SignalR has one message type for both, and the id
   * tells them apart.
   */
  | {
      readonly type: "completed";
      readonly id: string;
      readonly result?: unknown;
      readonly error?: string;
    }
  | { readonly type: "ping" }
  /** The client is about to close the connection. */
  | { readonly type: "close"; readonly error?: string }
  /**
   * Stateful reconnect (HubProtocol.md of ASP.NET Core, Ack and Sequence): `ack` confirms every message up to this
   * number; `sequence` is the number of the next message, after a reconnect (docs/design/signalr-reconnect.md#sr3).
   */
  | { readonly type: "ack"; readonly sequence: number }
  | { readonly type: "sequence"; readonly sequence: number }
  /**
   * A message that was refused: it is answered with `error` and not dispatched. `id` is null if none could be read, and
   * absent if the client expects no answer.
   */
  | { readonly type: "malformed"; readonly id?: CallId; readonly error: HubError }
  /** A message after which the stream cannot be read any further: the connection ends. */
  | { readonly type: "broken"; readonly error: HubError };

/** The messages of one frame. Answers to a batch are sent together, in one frame. */
export interface Received {
  readonly messages: readonly Incoming[];
  readonly batch: boolean;
  /**
   * The start of a message that continues in the next frame, if the protocol permits that. To be passed to the next
   * `decode`.
   */
  readonly rest?: string | Uint8Array;
}

/** The stage at which a call failed. SignalR's error texts depend on it. */
export type Stage =
  | "finding"
  | "authorising"
  | "binding"
  | "invoking"
  | "streaming"
  /** The caller cancelled the call. */
  | "cancelling";

/** A place in the arguments: indices and keys, outermost first. */
export type Path = readonly (string | number)[];

/** One message, encoded. */
export type Encoded = string | Uint8Array;

/**
 * Arguments, encoded once when they are published; stored and delivered in this form, not encoded again for each
 * socket.
 */
export interface Params {
  /** The text of one JSON array. Whole numbers have all their digits, also beyond 2⁵³. */
  readonly params: string;
  /**
   * The places of values that JSON cannot represent: bytes, which `params` has as base64, times, which it has as ISO
   * 8601 (distinguishable from base64 by the colons), and dictionaries, which it has as objects. Binary protocols write
   * the original values.
   */
  readonly bytes?: readonly Path[];
}

/** A call of the client method `target`: a message published in a room, or sent to one client. */
export interface OutgoingInvocation extends Params {
  readonly type: "invocation";
  /** Present if the server awaits the client's answer. */
  readonly id?: string;
  readonly target: string;
  readonly room?: string;
  readonly position?: string;
}

export type Outgoing =
  | OutgoingInvocation
  | { readonly type: "item"; readonly id: CallId; readonly item: unknown }
  | { readonly type: "completion"; readonly id: CallId; readonly result: unknown }
  | {
      readonly type: "failure";
      readonly id: CallId;
      readonly error: HubError;
      /** The method, as the caller spelled it. */
      readonly target?: string;
      readonly stage?: Stage;
    }
  /** A message that was encoded before, in this connection's protocol. */
  | { readonly type: "record"; readonly record: Encoded }
  | { readonly type: "ack"; readonly sequence: number }
  | { readonly type: "sequence"; readonly sequence: number }
  /** Answers to one batch, in its order. */
  | { readonly type: "batch"; readonly answers: readonly Outgoing[] }
  /** A room's state. `params` is the text of a `StateChange` (state-wire.ts); empty: nothing is sent. */
  | {
      readonly type: "state";
      readonly room: string;
      readonly position: string;
      readonly params: string;
    }
  /** A notification of the protocol itself, such as `$/connected`, and not of a hub. */
  | {
      readonly type: "control";
      readonly name: "connected" | "refused" | "presence" | "reset" | "left" | "end";
      readonly params: object;
      readonly room?: string;
      readonly position?: string;
    };
