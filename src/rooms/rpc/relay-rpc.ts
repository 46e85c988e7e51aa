// Calls of the edge and of other relays to a relay, in addition to its sockets and to those that every holder of
// connections answers.

import type { Position } from "../../model/topic.ts";
import type { AccountUser, Grant, TokenFacts, User } from "../../model/user.ts";
import type { BridgedTransport, HttpCallArrival, ObjectFetch } from "./arrival.ts";
import type { Refused } from "./fault.ts";
import type { HolderRpc } from "./room-rpc.ts";

/** A place at a relay, given out by negotiation: the public connection id, and the token that proves it. */
export interface Seat {
  readonly id: string;
  readonly token: string;
}

/** Known of a SignalR client before its handshake. */
export interface ClientTraits {
  /** Its negotiation agreed on stateful reconnect. */
  readonly statefulReconnect: boolean;
  /** It is one of Microsoft's, which ping by themselves. */
  readonly pings: boolean;
}

/** A client that negotiates. */
export interface SeatRequest extends ClientTraits {
  /** False in negotiate's version 0, which has one name for both: its client's token is its public id. */
  readonly hasSecretToken: boolean;
  readonly grant?: Grant | undefined;
  /** When the worker sent it, milliseconds since 1970. */
  readonly sentAt?: number;
}

/**
 * The transport of the connection that a POST was for, or why it has none: `unknown` for a token that this relay has
 * not given out to the user, `ended` for one whose connection has ended or may not begin any more; `early` where the
 * transport has not begun, and the body waits for it, `full` where it would wait beside too many.
 */
export type PostOutcome = "unknown" | "ended" | "early" | "full" | "WebSockets" | BridgedTransport;

export type PostedBody = ArrayBuffer | "end" | "ping";

/** Answers of a JSON-RPC request as text, empty where no call wants one. */
export type HttpCallReply = { readonly text: string } | Refused;

/** The effects of a fresh token. */
export interface RefreshOutcome {
  /** When the new token ends, leeway included; milliseconds since 1970. */
  readonly expiresAt: number;
  /** Rooms that it does not admit and the connection has left; as topics. */
  readonly dropped: readonly string[];
}

/** Why a connection's token was not refreshed, as a code. */
export interface RefreshRefusal {
  readonly code: string;
}

/** A room that a client was in when its connection ended (`rememberGroups`). */
export interface RememberedRoom {
  readonly room: string;
  /** The client's position there; undefined where nothing was published, so that nothing can be missing. */
  readonly position: Position | undefined;
  /** The token put it there, not hub code: another token may not admit it. */
  readonly granted: boolean;
  /** Id of the connection that was in it: messages that excluded that one are not replayed to the next. */
  readonly connection: string;
}

export interface RelayRpc extends HolderRpc, ObjectFetch {
  /**
   * A seat for a client that negotiates; undefined where the relay is full. Refuses with `too_many_connections`, and as
   * a connection is refused where the relay cannot keep up.
   */
  seat(user: AccountUser, request: SeatRequest): Promise<Seat | Refused | undefined>;
  /**
   * A message that a client posts beside its transport, or the end of its connection. A ping only shows that it lives.
   * Refuses as the user's account does.
   */
  post(token: string, bearer: TokenFacts, body: PostedBody): Promise<PostOutcome | Refused>;
  /** Replaces the token of a connection. */
  refresh(token: string, user: User): Promise<RefreshOutcome | RefreshRefusal>;
  /** The calls of a JSON-RPC request over HTTP, `frame` its body's text; undefined where the relay is full. */
  answer(arrival: HttpCallArrival, frame: string): Promise<HttpCallReply | undefined>;
  /** The client of an HTTP request is gone: its calls are cancelled. */
  hangUp(random: string): Promise<void>;
  /**
   * Rooms of a client that was here before; forgotten with the answer. `upward`: also those that higher levels
   * remember.
   */
  recall(userId: string, client: string, upward: boolean): Promise<readonly RememberedRoom[]>;
}
