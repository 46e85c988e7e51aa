// What is said between a client and a hub, whatever the protocol. Codecs turn frames into these and back.

import type { HubError } from "./errors.ts";

/** An invocation's id as the peer chose it. JSON-RPC has strings, numbers and (discouraged) null; SignalR strings. */
export type CallId = string | number | null;

/** Stands among the arguments where the peer will send a stream. */
export class StreamRef {
  readonly id: string;
  constructor(id: string) {
    this.id = id;
  }
}

/** The peer calls a method, or starts a stream. Without an id nobody waits for an answer. */
export interface Invocation {
  readonly type: "invocation";
  readonly id?: CallId;
  readonly target: string;
  readonly args: readonly unknown[];
  /** Makes a repeated call publish nothing twice, as long as the rooms' logs remember. */
  readonly idempotencyKey?: string;
  /** The peer's streams, in the order in which the method takes them; they are not among the arguments then. */
  readonly streamIds?: readonly string[];
  /** Whether the peer expects items. Absent where its protocol knows one kind of call only. */
  readonly streaming?: boolean;
  /** Whether the target's case does not count, as in SignalR. */
  readonly anyCase?: boolean;
}

export type Incoming =
  | Invocation
  | { readonly type: "item"; readonly stream: string; readonly item: unknown }
  | { readonly type: "end"; readonly stream: string; readonly error?: string }
  | { readonly type: "cancel"; readonly id: CallId }
  | { readonly type: "answer"; readonly id: CallId; readonly result: unknown }
  | { readonly type: "refusal"; readonly id: CallId; readonly message: string }
  /** The end of a stream of the peer's, or its answer: protocols that use one word for both leave it to ids. */
  | {
      readonly type: "completed";
      readonly id: string;
      readonly result?: unknown;
      readonly error?: string;
    }
  | { readonly type: "ping" }
  /** The peer says that it ends the connection. */
  | { readonly type: "close"; readonly error?: string }
  /** All up to this message arrived; the number of the next one (docs/design/signalr-reconnect.md#sr3). */
  | { readonly type: "ack"; readonly sequence: number }
  | { readonly type: "sequence"; readonly sequence: number }
  /**
   * Could not be understood, or is refused as it stands; to be answered, not dispatched. `id` is null where none could
   * be read, and absent where nobody waits for an answer.
   */
  | { readonly type: "malformed"; readonly id?: CallId; readonly error: HubError }
  /** Could not be understood, and nothing after it can be: the connection ends. */
  | { readonly type: "broken"; readonly error: HubError };

/** What one frame held. The answers to a batch travel together. */
export interface Received {
  readonly messages: readonly Incoming[];
  readonly batch: boolean;
  /** The beginning of a message whose end is still to come, where the protocol lets frames cut messages. */
  readonly rest?: string | Uint8Array;
}

/** How far a call came before it failed: callers are told in words that depend on it. */
export type Stage =
  | "finding"
  | "authorising"
  | "binding"
  | "invoking"
  | "streaming"
  /** The caller does not want it any more. */
  | "cancelling";

/** Where in the arguments something stands: indices and keys. */
export type Path = readonly (string | number)[];

/** One message as a protocol writes it. */
export type Encoded = string | Uint8Array;

/** Arguments as they are said, saved and sent: encoded once by whoever says them, never once per socket. */
export interface Params {
  /** The text of one JSON array. */
  readonly params: string;
  /** Where in it a base64 text stands for bytes: protocols that have bytes write them as such. */
  readonly bytes?: readonly Path[];
}

/** Something said in a room, or to one client: calls `target` there. */
export interface OutgoingInvocation extends Params {
  readonly type: "invocation";
  /** Present where the server waits for an answer. */
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
      /** What was called, as the caller named it. */
      readonly target?: string;
      readonly stage?: Stage;
    }
  /** One of the above as the connection's own protocol writes it. */
  | { readonly type: "record"; readonly record: Encoded }
  | { readonly type: "ack"; readonly sequence: number }
  | { readonly type: "sequence"; readonly sequence: number }
  /** Answers to one batch, in its order. */
  | { readonly type: "batch"; readonly answers: readonly Outgoing[] }
  /** The protocol's own words (`$/connected` and the like), not a hub's. */
  | {
      readonly type: "control";
      readonly name: "connected" | "presence" | "reset" | "left" | "end";
      readonly params: object;
      readonly room?: string;
      readonly position?: string;
    };
