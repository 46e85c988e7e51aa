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
}

export type Incoming =
  | Invocation
  | { readonly type: "item"; readonly stream: string; readonly item: unknown }
  | { readonly type: "end"; readonly stream: string; readonly error?: string }
  | { readonly type: "cancel"; readonly id: CallId }
  | { readonly type: "answer"; readonly id: CallId; readonly result: unknown }
  | { readonly type: "refusal"; readonly id: CallId; readonly message: string }
  /** Could not be understood; to be answered, not dispatched. `id` is null where none could be read. */
  | { readonly type: "malformed"; readonly id: CallId; readonly error: HubError };

/** What one frame held. The answers to a batch travel together. */
export interface Received {
  readonly messages: readonly Incoming[];
  readonly batch: boolean;
}

/** Something said in a room, or to one client: calls `target` there. */
export interface OutgoingInvocation {
  readonly type: "invocation";
  /** Present where the server waits for an answer. */
  readonly id?: string;
  readonly target: string;
  /** The arguments as the text of one JSON array: encoded once by whoever says it, never once per socket. */
  readonly params: string;
  readonly room?: string;
  readonly position?: string;
}

export type Outgoing =
  | OutgoingInvocation
  | { readonly type: "item"; readonly id: CallId; readonly item: unknown }
  | { readonly type: "completion"; readonly id: CallId; readonly result: unknown }
  | { readonly type: "failure"; readonly id: CallId; readonly error: HubError }
  /** One of the above as the connection's own protocol writes it. */
  | { readonly type: "record"; readonly record: string }
  /** Answers to one batch, in its order. */
  | { readonly type: "batch"; readonly answers: readonly Outgoing[] }
  /** The protocol's own words (`$/connected` and the like), not a hub's. */
  | {
      readonly type: "control";
      readonly name: "connected" | "presence" | "reset" | "end";
      readonly params: object;
      readonly room?: string;
      readonly position?: string;
    };
